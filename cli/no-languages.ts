/** In place of the languages that zod has messages in (`light-packages.ts`). */
export {};

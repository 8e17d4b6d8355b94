/** In place of the languages that zod has messages in: fifty files, which Jest would load for each test file anew. English, which all here use, zod loads by itself. */
export {};

import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { buildProgram } from './program.ts';

/** Commands that show something in a form that one chooses. */
function* withForms(command: Command, path = ''): Generator<[string, readonly string[]]> {
  const output = command.options.find(({ long }) => long === '--output');
  if (output !== undefined) yield [path, output.argChoices ?? []];
  for (const child of command.commands) yield* withForms(child, `${path} ${child.name()}`.trim());
}

const shown = [...withForms(buildProgram())];

test('commands that look at something show it as JSON, as YAML, and with more in it', () => {
  const lacking = shown.flatMap(([path, forms]) =>
    ['wide', 'json', 'yaml'].filter((form) => !forms.includes(form)).map((form) => `${path} -o ${form}`),
  );
  expect(lacking).toEqual([]);
  const looking =
    'analyze, check, explain, logs, status, tap, top, version, canary history, canary list, canary status';
  const within = 'cert list, cert status, describe pod, describe service, proxy config, proxy log-level, proxy status';
  expect(shown.map(([path]) => path).sort()).toEqual(`${looking}, ${within}`.split(', ').sort());
});

test.each([
  [['explain', 'a'], "missing required argument 'to'", 'heddle explain --help shows how it is used'],
  [['canary', 'promot'], 'Did you mean promote?', 'heddle canary --help shows how it is used'],
  [['instal'], 'Did you mean install?', 'heddle --help shows all commands'],
])('what is wrong with %p is said, and whose help to read', async (words, problem, help) => {
  let said = '';
  const program = buildProgram();
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = ((text: string) => {
    said += text;
    return true;
  }) as typeof process.stderr.write;
  await expect(program.parseAsync(words, { from: 'user' })).rejects.toThrow();
  process.stderr.write = write;
  expect(said).toContain(problem);
  expect(said).toContain(help);
});

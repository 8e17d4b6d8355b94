// Exits 0 when node_modules holds exactly what package-lock.json asks for, else 1. Plain JavaScript: it runs before anything is
// installed, with whatever Node the machine has.
import { readFileSync } from 'node:fs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

function matches() {
  const wanted = read('package-lock.json');
  // npm's own record of what it put there.
  const present = read('node_modules/.package-lock.json');
  const same = (a, b) => a.version === b.version && a.integrity === b.integrity;
  const missing = Object.entries(wanted).some(([path, entry]) => {
    if (path === '') return false;
    // Optional packages are often for other systems.
    return present[path] === undefined ? entry.optional !== true : !same(entry, present[path]);
  });
  const extra = Object.keys(present).some((path) => wanted[path] === undefined);
  return !missing && !extra;
}

try {
  process.exitCode = matches() ? 0 : 1;
} catch {
  process.exitCode = 1;
}

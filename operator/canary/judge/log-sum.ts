/** ln Σ e^x over the numbers, without leaving what doubles can hold. @returns -Infinity for none */
export function logSumExp(numbers: readonly number[]): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (const number of numbers) greatest = Math.max(greatest, number);
  if (!Number.isFinite(greatest)) return greatest;
  let sum = 0;
  for (const number of numbers) sum += Math.exp(number - greatest);
  return greatest + Math.log(sum);
}

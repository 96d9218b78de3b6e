/** What is wrong with a key that is none of the known ones: the one that was probably meant, or all of them. */
export function unknownKey(key: string, known: readonly string[]): string {
  const near = [...known].sort().find((one) => distance(one.toLowerCase(), key.toLowerCase()) <= 2);
  return near === undefined
    ? `unknown key; known keys: ${[...known].sort().join(", ")}`
    : `unknown key; did you mean "${near}"?`;
}

/** How many letters have to be added, dropped or changed to get from one word to the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

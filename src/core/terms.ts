/** Terms: odd ones belong to node 1, even ones to node 2, so that two claims never tie. */

/** The least term above `term` that belongs to `node`. */
export function nextTerm(term: number, node: 1 | 2): number {
  const next = term + 1;
  return ownerOf(next) === node ? next : next + 1;
}

export function ownerOf(term: number): 1 | 2 {
  return term % 2 === 1 ? 1 : 2;
}

export function other(node: 1 | 2): 1 | 2 {
  return node === 1 ? 2 : 1;
}

/**
 * What sealed columns are bound to: moved to another row or column, or kept from before a rotation, they do not open.
 */

export const secret = (row: { readonly realm: string; readonly key: string; readonly generation: number }) => [
  "secrets",
  "sealed",
  row.realm,
  row.key,
  String(row.generation)
]

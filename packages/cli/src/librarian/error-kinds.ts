/** Kinds of recorded errors (librarian 2). Written here once more, so that `--help` need not load the wire. */
export const severities = ['critical', 'error', 'warning', 'info'] as const

export type Severity = (typeof severities)[number]

export const categories = [
  'data_integrity',
  'data_availability',
  'configuration',
  'store_full',
  'programming',
  'librarian_network_availability',
  'transfer',
] as const

export type Category = (typeof categories)[number]

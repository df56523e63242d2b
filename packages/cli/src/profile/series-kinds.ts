/** What `profile plot` draws. */
export const seriesKinds = ['default', 'retriever', 'all'] as const
export type SeriesKind = (typeof seriesKinds)[number]

/** Names of backups: whose catalogue, and when. They sort by time. */

export interface BackupName {
  /** Eight hex digits: of the catalogue, so that several may share a directory. */
  readonly id: string
  /** ms since 1970. */
  readonly time: number
}

export function formatBackupName({ id, time }: BackupName): string {
  const stamp = new Date(time).toISOString().replace(/[-:]|\.\d+/g, '')
  return `catalogue-${id}-${stamp}.db`
}

/** Undefined: it is none, or one that is not complete. */
export function parseBackupName(name: string): BackupName | undefined {
  const [, id, ...parts] = /^catalogue-([0-9a-f]{8})-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.db$/.exec(name) ?? []
  if (id === undefined) return undefined
  const [year = 0, month = 0, ...rest] = parts.map(Number)
  const time = Date.UTC(year, month - 1, ...rest)
  return Number.isNaN(time) ? undefined : { id, time }
}

/** What lies where in a local store. All of it but the files themselves is private. */
import { join } from 'node:path'

/** Below `store_path`; no name of a file begins with it. */
export const PRIVATE = '.arriero'

export const privateDirectories = ['work', 'spool', 'trash', 'quarantine', 'trail'] as const

export type PrivateDirectory = (typeof privateDirectories)[number]

export interface Layout {
  /** Where files lie under their names. */
  readonly root: string
  /** What others write. */
  readonly staging: string
  readonly private: string
  readonly marker: string
  readonly sums: string
  readonly work: string
  readonly spool: string
  readonly trash: string
  readonly quarantine: string
  readonly trail: string
  /** Emptied staging directories; made when it is first needed. */
  readonly spare: string
}

export function layoutOf(root: string, staging: string): Layout {
  const at = (name: string) => join(root, PRIVATE, name)
  return {
    root,
    staging,
    private: join(root, PRIVATE),
    marker: at('marker.json'),
    sums: at('SHA256SUMS'),
    work: at('work'),
    spool: at('spool'),
    trash: at('trash'),
    quarantine: at('quarantine'),
    trail: at('trail'),
    spare: at('spare'),
  }
}

/**
 * A private copy's name: dot, work, token, and what nobody can guess (reliability 7.7). Two attempts of one work never share
 * an inode.
 */
export function copyName(id: string, token: number, random: string): string {
  return `.${id}.${token}.${random}`
}

export function copyPrefix(id: string, token: number): string {
  return `.${id}.${token}.`
}

/** The work of a private copy; undefined for a name of another form. */
export function workOfCopy(name: string): string | undefined {
  return /^\.([0-9a-f]{32})\.\d+\.[0-9a-f]{16}$/.exec(name)?.[1]
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Names of staging directories, and only those are ever removed. */
export function isUuid(name: string): boolean {
  return UUID.test(name)
}

/** Ids of spools, trash and quarantine: one plain segment. */
export function checkId(id: string): string {
  if (!/^[0-9A-Za-z][0-9A-Za-z_-]{0,127}$/.test(id)) throw new RangeError(`Cannot use ${JSON.stringify(id)} as an id`)
  return id
}

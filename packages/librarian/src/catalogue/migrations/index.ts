/** All migrations, in order. A migration is never changed once released. */
import * as first from './0001-first.ts'

export const migrations = [{ name: '0001-first', up: first.up }] as const

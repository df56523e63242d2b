import type { Definitions } from '../../definitions.ts'
import { columns } from '../columns.ts'

export const statuses = ['INITIATED', 'ONGOING', 'STAGED', 'COMPLETED', 'FAILED', 'CANCELLED']
export const copyStates = ['ok', 'mismatch', 'missing', 'unreadable', 'unavailable', 'never-checked']
export const policies = ['DISALLOWED', 'ALLOWED']
export const kinds = ['file', 'tree']
/** Of a transfer's row. */
export const isLive = `status IN ('INITIATED','ONGOING','STAGED')`

/** In what each area writes its tables. */
export type Words = ReturnType<typeof words>

export function words(define: Definitions) {
  const column = columns(define)
  return {
    ...column,
    key: (name: string) => `${name} ${define.types.text} PRIMARY KEY NOT NULL`,
    /** A digest in any spelling. Empty: explicitly unattested. */
    announced: (name: string) => `${column.text(name)} CHECK (length(${name}) <= 256)`,
    table: (name: string, ...parts: string[]) => `CREATE TABLE ${name} (${parts.join(', ')})${define.tableSuffix}`,
  }
}

/** Columns with their checks, in the words of the catalogue. Written for migrations; a change here changes released ones. */
import type { Definitions } from '../definitions.ts'

export function columns({ types }: Definitions) {
  const required = (name: string, type: string, check?: string) =>
    `${name} ${type} NOT NULL${check ? ` CHECK (${check})` : ''}`
  const between = (name: string, low: number, high: number) => `${name} BETWEEN ${low} AND ${high}`
  return {
    id: `id ${types.id}`,
    text: (name: string) => required(name, types.text),
    integer: (name: string) => required(name, types.integer),
    real: (name: string) => required(name, types.real),
    /** 0 or 1. */
    bit: (name: string, initially?: 0 | 1) =>
      `${required(name, types.bit, `${name} IN (0,1)`)}${initially === undefined ? '' : ` DEFAULT ${initially}`}`,
    /** The same column, absent allowed: a check of NULL holds. */
    maybe: (column: string) => column.replace(' NOT NULL', ''),
    instant: (name: string) => required(name, types.text, `${name} LIKE '____-__-__T__:__:__.______Z'`),
    /** Bytes that a JSON number holds exactly. */
    size: (name: string) => required(name, types.integer, between(name, 0, Number.MAX_SAFE_INTEGER)),
    count: (name: string) => required(name, types.integer, `${name} >= 0`),
    /** Lower-case hex of a fixed length. */
    hex: (name: string, length: number) =>
      required(name, types.text, `length(${name}) = ${length} AND trim(${name}, '0123456789abcdef') = ''`),
    oneOf: (name: string, values: readonly string[]) =>
      required(name, types.text, `${name} IN (${values.map(value => `'${value}'`).join(',')})`),
    /** Text that is not empty and has at most so many characters. */
    limited: (name: string, length: number) => required(name, types.text, between(`length(${name})`, 1, length)),
  }
}

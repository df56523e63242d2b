/** Values of settings as laxly as existing files write them, and as the environment must: as text. */
import { z } from 'zod'

const yes = new Set(['true', 'yes', 'on', 't', 'y', '1'])
const no = new Set(['false', 'no', 'off', 'f', 'n', '0'])

export const bool = z.preprocess(value => {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : value === 0 || value === 1 ? String(value) : ''
  return yes.has(text) ? true : no.has(text) ? false : value
}, z.boolean())

const numeric = (value: unknown) =>
  typeof value === 'string' && /^\s*[+-]?\d+(\.\d*)?\s*$/.test(value) ? Number(value) : value

export const int = z.preprocess(numeric, z.int())
export const number = z.preprocess(numeric, z.number())

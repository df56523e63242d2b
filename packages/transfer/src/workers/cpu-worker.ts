/**
 * A thread of the CPU pool: loads the caller's module and calls its export. Bytes come in over shared memory, and go out
 * by handing over their memory.
 */
import { move, transferableSymbol, valueSymbol } from 'piscina'

import { Ended } from '../pipeline/stage.ts'
import type { CpuReply, CpuTask, Thrown } from './cpu-job.ts'
import { bindEngineImports } from './engine-imports.ts'
import { ownedBuffers } from './owned-buffers.ts'

bindEngineImports()

const functions = new Map<string, Promise<(...args: unknown[]) => unknown>>()

export default async function work({ module, name, args, context, isCheck }: CpuTask): Promise<unknown> {
  const warnings: string[] = []
  try {
    const call = await functionOf(module, name)
    if (isCheck) return { value: undefined, warnings } satisfies CpuReply
    const given = context ? [...args, { ...context, warn: (text: string) => void warnings.push(String(text)) }] : args
    const value = await call(...given)
    // Classes do not survive the way.
    if (value instanceof Ended) return { value: value.reason, isDropped: true, warnings } satisfies CpuReply
    return handOver({ value, warnings })
  } catch (error) {
    return { thrown: asData(error), warnings } satisfies CpuReply
  }
}

function functionOf(module: string, name: string): Promise<(...args: unknown[]) => unknown> {
  const key = `${name} ${module}`
  const known = functions.get(key)
  if (known) return known
  const found = import(module).then((exported: Record<string, unknown>) => {
    const candidate = exported[name]
    if (typeof candidate === 'function') return candidate as (...args: unknown[]) => unknown
    const names = Object.keys(exported).filter(each => typeof exported[each] === 'function')
    const others = names.length === 0 ? 'it exports no function' : `it exports ${names.join(', ')}`
    throw Object.assign(new TypeError(`${module} exports no function ${name}: ${others}`), { code: 'NoExport' })
  })
  functions.set(key, found)
  return found
}

/** Without a copy where the bytes have their memory to themselves. */
function handOver(reply: { value: unknown; warnings: readonly string[] }): unknown {
  const { value, buffers } = ownedBuffers(reply.value)
  if (buffers.length === 0) return { ...reply, value }
  return move({ [valueSymbol]: { ...reply, value }, [transferableSymbol]: buffers } as never)
}

function asData(error: unknown): Thrown {
  const { name, message, stack, code, retriable } = readable(error)
  return {
    name,
    message,
    stack: typeof stack === 'string' ? stack : undefined,
    code: typeof code === 'string' ? code : undefined,
    retriable: typeof retriable === 'boolean' ? retriable : undefined,
  }
}

/** Some things can neither be read nor be written as text. */
function readable(thrown: unknown): Record<'name' | 'message', string> & Partial<Record<keyof Thrown, unknown>> {
  try {
    if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) }
    const { name, message, stack, code, retriable } = thrown as Error & { code?: unknown; retriable?: unknown }
    return { name: String(name), message: String(message), stack, code, retriable }
  } catch {
    return { name: 'Error', message: 'it threw what cannot be written as text' }
  }
}

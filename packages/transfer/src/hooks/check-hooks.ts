/** What an object of hooks may look like; the one place where it is looked at before it is used. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { TransferError } from '../errors.ts'
import type { HookName, Hooks, WorkerHook } from '../hooks.ts'
import { show } from '../manifest/problem.ts'
import { closest } from './closest.ts'
import { hookNames, isHookName, settingNames } from './names.ts'

/** @throws TransferError Usage: an unknown name, a hook that is none, a setting that cannot be */
export function checkHooks(hooks: unknown): asserts hooks is Hooks {
  if (hooks === null || typeof hooks !== 'object') refuse('hooks must be an object', hooks)
  checkNames(hooks)
  const { chunkOrder, advisory, timeoutMs } = hooks as Hooks
  for (const name of hookNames) checkHook(name, (hooks as Record<string, unknown>)[name])
  if (chunkOrder !== undefined && chunkOrder !== 'any' && chunkOrder !== 'ascending') {
    refuse("chunkOrder must be 'any' or 'ascending'", chunkOrder)
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0)) {
    refuse('timeoutMs must be a number above 0', timeoutMs)
  }
  if (advisory !== undefined && !Array.isArray(advisory)) refuse('advisory must be an array of names', advisory)
  for (const name of advisory ?? []) if (!isHookName(name)) unknown(name, hookNames)
}

/** `file:` URL of the module of a hook that runs in a thread. */
export function moduleUrl({ module }: WorkerHook): string {
  if (module instanceof URL) return module.href
  return /^[a-z][a-z0-9+.-]+:/i.test(module) ? module : pathToFileURL(resolve(module)).href
}

/** What is misspelt would never be called. Instances may have what they like, but no `on…` that is none of ours. */
function checkNames(hooks: object): void {
  const prototype = Object.getPrototypeOf(hooks)
  const isPlain = prototype === Object.prototype || prototype === null
  const names = isPlain ? Object.keys(hooks) : namesOf(hooks).filter(name => /^on[A-Z]/.test(name))
  const known = [...hookNames, ...settingNames]
  for (const name of names) if (!known.includes(name)) unknown(name, known)
}

/** Its own and those of its classes. */
function namesOf(instance: object): string[] {
  const names: string[] = []
  for (let at = instance; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    names.push(...Object.getOwnPropertyNames(at))
  }
  return names
}

function checkHook(name: HookName, hook: unknown): void {
  if (hook === undefined || typeof hook === 'function') return
  const { module, export: exported } = (hook ?? {}) as Partial<WorkerHook>
  const isNamed = (typeof module === 'string' || module instanceof URL) && typeof exported === 'string'
  if (!isNamed) refuse(`${name} must be a function or { module, export }`, hook)
  const url = moduleUrl(hook as WorkerHook)
  if (!url.startsWith('file:')) refuse(`the module of ${name} must be a file`, url)
  if (!existsSync(fileURLToPath(url))) refuse(`the module of ${name} must be a file that is there`, fileURLToPath(url))
}

function unknown(name: string, known: readonly string[]): never {
  const best = closest(name, known)
  const what = `Cannot use these hooks: there is no hook ${show(name)}`
  throw new TransferError('Usage', best === undefined ? what : `${what}; did you mean ${best}?`, {
    remedy: `The hooks are ${hookNames.join(', ')}.`,
  })
}

function refuse(rule: string, met: unknown): never {
  throw new TransferError('Usage', `Cannot use these hooks: ${rule}, got ${show(met)}`, {
    remedy: 'Correct the object of hooks.',
  })
}

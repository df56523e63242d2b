/**
 * The receiver's staging area is reached by rsync: on this machine, or over ssh on those that the settings name
 * (librarian 9.2). One process carries a whole batch. What was broken off is gone on with, within a batch and after it.
 */
import { accessSync, constants } from 'node:fs'
import { hostname as ownHostname } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { systemClock } from '../clock.ts'
import { isRetriable, TransferError } from '../errors.ts'
import { backoffDelayMs } from '../limits/backoff.ts'
import type { Method, MethodItem, MethodState } from '../method.ts'
import { attempt, detailsOf, standingOf } from './attempt.ts'
import { checkItems, refuseIf } from './batch.ts'
import { isThere, Parents } from './local-target.ts'
import { type RsyncCall, rsyncArguments } from './rsync/arguments.ts'
import { rsyncFailure } from './rsync/failures.ts'
import type { RsyncMethodOptions } from './rsync/options.ts'
import { runRsync } from './rsync/run.ts'
import { castShadow } from './rsync/shadow.ts'
import { examine } from './source-item.ts'

export type { RsyncMethodOptions, SshHost } from './rsync/options.ts'

type Settings = Required<Omit<RsyncMethodOptions, 'random'>> & Pick<RsyncMethodOptions, 'random'>

/** Moves the files by rsync, to another machine over ssh. */
export function createRsyncMethod(options: RsyncMethodOptions = {}): Method {
  const settings: Settings = {
    hostname: ownHostname(),
    hosts: {},
    program: 'rsync',
    timeoutSeconds: 60,
    retries: 3,
    clock: systemClock,
    environment: process.env,
    ...definedOf(options),
  }
  return {
    name: 'rsync',
    whyNot: state => whyNot(state, settings),
    async transfer(items, { state, signal, onProgress }) {
      refuseIf(whyNot(state, settings), 'rsync')
      checkItems(items, 'rsync')
      const host = hostOf(state, settings)
      return attempt({ state, items, clock: settings.clock, signal }, () =>
        copyAll(items, { host, settings, signal, onProgress }),
      )
    },
    status: async state => standingOf(state),
    // It is done by the call that began it, and ends with that call's signal.
    cancel: async () => {},
    details: async state =>
      detailsOf(state, {
        kind: 'rsync',
        sourceEndpoint: settings.hostname,
        destinationEndpoint: String(state.hostname),
      }),
  }
}

function definedOf(options: RsyncMethodOptions): Partial<Settings> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function whyNot({ hostname }: MethodState, { hosts, program, environment, ...own }: Settings): string | undefined {
  if (typeof hostname !== 'string') return 'it must say to which machine it goes (hostname)'
  if (!isExecutable(program, environment.PATH)) return `${program} is not installed`
  if (hostname === own.hostname || Object.hasOwn(hosts, hostname)) return undefined
  return `no settings say how ${hostname} is reached by ssh`
}

function isExecutable(program: string, path = ''): boolean {
  const places = isAbsolute(program) ? [program] : path.split(':').map(directory => join(directory, program))
  return places.some(place => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function hostOf({ hostname }: MethodState, settings: Settings): RsyncCall['host'] {
  const name = String(hostname)
  const ssh = Object.hasOwn(settings.hosts, name) ? settings.hosts[name] : undefined
  return name === settings.hostname || !ssh ? undefined : { hostname: name, ssh }
}

interface CopyAllOptions {
  readonly host: RsyncCall['host']
  readonly settings: Settings
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((bytes: number) => void) | undefined
}

async function copyAll(items: readonly MethodItem[], options: CopyAllOptions): Promise<void> {
  const { host, settings, signal, onProgress } = options
  for (const item of items) await examine(item, signal)
  const missing = host ? items : await missingHere(items)
  if (missing.length === 0) return
  const there = sizeOf(items) - sizeOf(missing)
  await using shadow = await castShadow(missing)
  const args = rsyncArguments({
    from: shadow.path,
    to: shadow.root,
    host,
    timeoutSeconds: settings.timeoutSeconds,
  })
  let most = 0
  const onBytes = (bytes: number) => {
    // Each process counts from nothing.
    most = Math.max(most, bytes)
    onProgress?.(there + most)
  }
  const input = shadow.names.map(name => `./${name}\0`).join('')
  await patiently(settings, signal, async () => {
    const { environment } = settings
    const call = { directory: shadow.path, args, input, environment, signal, onBytes }
    const { code, said } = await runRsync(settings.program, call)
    if (code === 0) return
    throw rsyncFailure({ code, said: said.replaceAll(shadow.path, shadow.root) })
  })
}

/** On this machine we see what is there, replace no file, and give directories the group of those above them. */
async function missingHere(items: readonly MethodItem[]): Promise<MethodItem[]> {
  const parents = new Parents()
  const missing: MethodItem[] = []
  for (const item of items) {
    await parents.make(dirname(item.target))
    // A tree has its name before it is whole: rsync finds what of it is missing.
    if (item.isTree || !(await isThere(item))) missing.push(item)
  }
  return missing
}

async function patiently(
  settings: Settings,
  signal: AbortSignal | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const { retries, clock, random } = settings
  for (let failures = 1; ; failures++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof TransferError) || !isRetriable(error) || failures > retries) throw error
      await clock.sleep(backoffDelayMs(failures, { baseMs: 1000, random }), signal)
    }
  }
}

function sizeOf(items: readonly MethodItem[]): number {
  return items.reduce((sum, { size }) => sum + size, 0)
}

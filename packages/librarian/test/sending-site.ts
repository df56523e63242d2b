/** A librarian that sends: the real feature over a catalogue in memory, to a scripted receiver. It can be killed and started again. */
import { randomBytes } from 'node:crypto'
import type { Method, MethodItem } from '@arriero/transfer'
import type { Catalogue } from '../src/catalogue/catalogue.ts'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { systemClock } from '../src/clock.ts'
import { Secret } from '../src/config/secret.ts'
import { createSendingFeature, type SendingFeature } from '../src/features/sending.ts'
import { silentLog } from '../src/log.ts'
import { createFernet } from '../src/secrets/fernet.ts'
import type { Alarm } from '../src/services/alarms.ts'
import type { CopyReader } from '../src/services/copies/read-copies.ts'
import { createPeerConnections } from '../src/services/peer-connections.ts'
import type { TaskContext, TaskResult } from '../src/tasks/task.ts'
import { insertFile, insertInstance, insertStore } from './catalogue-rows.ts'
import type { ScriptedReceiver } from './scripted-receiver.ts'
import { operations, type TrialCatalogue } from './trial-operations.ts'

export interface SendingSite extends AsyncDisposable {
  readonly catalogue: TrialCatalogue
  readonly alarms: Alarm[]
  readonly method: TrialMethod
  /** Of processes that begin from now on. */
  leaseSeconds: number
  /** What `keep` was told. */
  cursor: unknown
  addFiles(...names: string[]): Promise<void>
  /** One run of a task of the present process. */
  run(key: string, settings?: Record<string, unknown>, context?: Partial<TaskContext>): Promise<TaskResult>
  feature(): SendingFeature
  /** Calls of the catalogue by the process, and who is told of each: before it (0) and after it (1). */
  onCall: (name: string, when: 0 | 1) => void
  /** From now on the process does nothing more; its leases are left to run out. */
  kill(): void
  /** A new process, when all leases of the old one have run out. */
  restart(): Promise<void>
  /** What the outbox has for the receiver is delivered. */
  deliver(): Promise<void>
}

/** Stands for a method that copies: what it was given is plain to see. */
export class TrialMethod implements Method {
  readonly name = 'local'
  readonly given: (readonly MethodItem[])[] = []
  readonly cancelled: unknown[] = []
  fails = 0
  standing: Awaited<ReturnType<Method['status']>> = { status: 'complete' }

  whyNot(state: Record<string, unknown>): string | undefined {
    return (state.hostnames as string[]).includes('here') ? undefined : 'it is on another machine'
  }
  async transfer(items: readonly MethodItem[], { state }: { state: Record<string, unknown> }) {
    if (this.fails-- > 0) throw new Error('the disk is on fire')
    this.given.push(items)
    return { ...state, transfer_attempted: true }
  }
  async status() {
    return this.standing
  }
  async cancel(state: unknown) {
    this.cancelled.push(state)
  }
  async details() {
    return undefined
  }
}

export async function openSendingSite(receiver: ScriptedReceiver): Promise<SendingSite> {
  const catalogue = (await openMemoryCatalogue({ registry: operations })) as TrialCatalogue
  const fernet = createFernet(new Secret(randomBytes(32).toString('base64url')), {
    clock: systemClock,
    random: randomBytes,
  })
  await catalogue.trial.write(insertStore(1))
  const authenticator = fernet.encrypt('here:secret')
  await catalogue.peers.add({ name: 'far', url: 'http://127.0.0.1', port: receiver.port, authenticator })
  const alarms: Alarm[] = []
  const method = new TrialMethod()
  let processes = 0
  let files = 0
  let life = { isDead: false }
  let feature: SendingFeature

  function start(): SendingFeature {
    const mine = { isDead: false }
    life = mine
    const own = mortal(catalogue, mine, (name, when) => site.onCall(name, when))
    return createSendingFeature({
      settings: {
        name: 'here',
        maxSearchResults: 64,
        maxAsyncSendRetries: 1,
        maxAsyncInflightTransfers: 64,
        background: { consume_queue: [{}], check_consumed_queue: [{}] } as never,
      },
      catalogue: own,
      connections: createPeerConnections({ catalogue: own, fernet, connectOptions: { retries: 0 } }),
      methods: new Map([['local', method]]),
      reader: { read: async () => ({ state: 'ok' }) } as unknown as CopyReader,
      alarms: { raise: async alarm => void alarms.push(alarm) },
      clock: systemClock,
      log: silentLog,
      random: randomBytes,
      holder: `process-${++processes}`,
      tuning: { pauseSeconds: 0.001, lookMs: 5, leaseSeconds: site.leaseSeconds, lookSeconds: 0 },
    })
  }

  const site: SendingSite = {
    leaseSeconds: 60,
    catalogue,
    alarms,
    method,
    cursor: undefined,
    onCall: () => {},
    feature: () => feature,
    async addFiles(...names) {
      for (const name of names) {
        await catalogue.trial.write(insertFile(name, ++files))
        await catalogue.trial.write(insertInstance(name, 1, files))
      }
    },
    async run(key, settings = {}, context = {}) {
      const task = feature.tasks.find(each => each.key === key)!
      const given: TaskContext = {
        signal: new AbortController().signal,
        isOverdue: () => false,
        progress: () => {},
        cursor: site.cursor,
        keep: cursor => {
          site.cursor = cursor
        },
        ...context,
      }
      return await task.run({ ...defaults, ...settings } as never, given)
    },
    kill() {
      life.isDead = true
    },
    async restart() {
      life.isDead = true
      await catalogue.trial.write(`UPDATE lease SET expires = '2000-01-01T00:00:00.000000Z'`)
      feature = start()
    },
    async deliver() {
      for (const { id, call, body } of await catalogue.outbox.due({ notTo: [], limit: 100 })) {
        const url = `http://127.0.0.1:${receiver.port}/api/v2/${call}`
        await fetch(url, { method: 'POST', body })
        await catalogue.outbox.done({ ids: [id] })
      }
    },
    async [Symbol.asyncDispose]() {
      life.isDead = true
      await catalogue.close()
    },
  }
  feature = start()
  return site
}

const defaults = {
  task_name: 't',
  every: 1,
  soft_timeout: null,
  destination_librarian: 'far',
  age_in_days: 100_000,
  store_preference: null,
  send_batch_size: 128,
  warn_disabled_timer: null,
  complete_status: 2,
}

/** A catalogue that a dead process cannot use, and that tells of each call. */
function mortal(catalogue: Catalogue, life: { isDead: boolean }, tell: (name: string, when: 0 | 1) => void): Catalogue {
  const die = () => {
    if (life.isDead) throw new Error('killed')
  }
  const area = (name: string, members: object) =>
    new Proxy(members, {
      get: (target, member) => async (args: unknown) => {
        const label = `${name}.${String(member)}`
        die()
        tell(label, 0)
        die()
        const result = await (target as Record<string | symbol, (args: unknown) => Promise<unknown>>)[member]!(args)
        tell(label, 1)
        die()
        return result
      },
    })
  return new Proxy(catalogue, {
    get: (target, name) => {
      const members = Reflect.get(target, name)
      return typeof members === 'object' && members !== null ? area(String(name), members) : members
    },
  })
}

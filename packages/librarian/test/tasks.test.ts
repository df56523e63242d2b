/** Recurring tasks (librarian 12.0), on both catalogues, with several processes. */
import { describe, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { backgroundSchema } from '../src/config/background.ts'
import { EmbeddedEngine } from '../src/engine/embedded.ts'
import { silentLog } from '../src/log.ts'
import type { Alarm } from '../src/services/alarms.ts'
import { entriesOf, pauseMs } from '../src/tasks/entries.ts'
import { createScheduler, type Scheduler } from '../src/tasks/scheduler.ts'
import type { TaskContext, TaskKind, TaskResult } from '../src/tasks/task.ts'
import { suiteOfBoth } from './both-databases.ts'
import { openTestHouse } from './house.ts'
import type { TrialCatalogue } from './trial-operations.ts'

const hour = 3600
const done: TaskResult = { outcome: 'done', note: 'all', counts: { all: 2 } }
const patience = { timeout: 20_000, interval: 20 }
const repair = (name: string, every: unknown = hour) => ({ task_name: name, every })

await suiteOfBoth(suite)

interface Process {
  readonly scheduler: Scheduler
  readonly alarms: Alarm[]
  /** Resolves when it works. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** One process that has the entries of `repair`. */
function process(
  catalogue: TrialCatalogue,
  entries: readonly object[],
  run: TaskKind['run'],
  options: Partial<TaskKind> = {},
): Process {
  const alarms: Alarm[] = []
  const engine = new EmbeddedEngine({ catalogue, clock: systemClock, log: silentLog, lookMs: 200 })
  const scheduler = createScheduler({
    settings: backgroundSchema.parse({ repair: entries }),
    kinds: [{ key: 'repair', run, ...options }],
    engine,
    catalogue,
    alarms: { raise: async alarm => void alarms.push(alarm) },
    clock: systemClock,
    log: silentLog,
    tellMs: 20,
  })
  const ending = new AbortController()
  let working: Promise<void> | undefined
  return {
    scheduler,
    alarms,
    async start() {
      await scheduler.start()
      working = engine.work(ending.signal)
    },
    async stop() {
      ending.abort(new Error('The test ends it'))
      await working
    },
  }
}

/** Runs that go on until they are let go or aborted. */
function held() {
  const runs: { readonly name: string; readonly context: TaskContext; readonly end: (result: TaskResult) => void }[] =
    []
  const run: TaskKind['run'] = ({ task_name: name }, context) =>
    new Promise((resolve, reject) => {
      runs.push({ name, context, end: resolve })
      context.signal.addEventListener('abort', () => reject(context.signal.reason))
    })
  return { runs, run }
}

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  describe(`${label}: the scheduler`, () => {
    test('runs every entry once at the start, and each again its time after its end', async () => {
      await using catalogue = await open()
      const ran: string[] = []
      const one = process(catalogue, [repair('often', 1), repair('seldom')], async ({ task_name }) => {
        ran.push(task_name)
        return done
      })
      await one.start()
      await expect.poll(() => ran.filter(name => name === 'often').length, patience).toBe(3)
      await one.stop()
      expect(ran.filter(name => name === 'seldom')).toHaveLength(1)
      const seldom = (await one.scheduler.list()).find(({ name }) => name === 'seldom')!
      expect(seldom).toMatchObject({
        kind: 'repair',
        state: 'waiting',
        outcome: 'done',
        note: 'all',
        counts: '{"all":2}',
      })
      const pause = Date.parse(seldom.next_run!) - Date.parse(seldom.ended!)
      expect(Math.abs(pause - hour * 1000)).toBeLessThan(2000)
    }, 60_000)

    test('logs and tells of a failure, and runs the task again at its time; others run meanwhile', async () => {
      await using catalogue = await open()
      let runs = 0
      const one = process(catalogue, [repair('bad', 1), repair('good')], async ({ task_name }) => {
        if (task_name === 'bad' && runs++ === 0) throw new Error('it broke')
        return done
      })
      await one.start()
      await expect.poll(() => runs, patience).toBe(2)
      await one.stop()
      expect(one.alarms).toEqual([
        { severity: 'error', category: 'programming', message: 'The task bad failed: it broke', caller: 'task:repair' },
      ])
    }, 60_000)

    test('does not run what is off again before the next start, unless somebody asks for it', async () => {
      await using catalogue = await open()
      let runs = 0
      const off: TaskKind['run'] = async () => {
        runs++
        return { outcome: 'off', note: 'no store of that name', counts: {} }
      }
      const one = process(catalogue, [repair('a', 1)], off)
      await one.start()
      const state = async () => (await one.scheduler.list())[0]!
      await expect.poll(async () => (await state()).outcome, patience).toBe('off')
      expect(await state()).toMatchObject({ state: 'off', next_run: null, note: 'no store of that name' })
      expect(await catalogue.trial.read('SELECT key FROM piece')).toEqual([])
      await one.scheduler.runNow((await state()).id)
      await expect.poll(() => runs, patience).toBe(2)
      await one.stop()
      const next = process(catalogue, [repair('a', 1)], off)
      await next.start()
      await expect.poll(() => runs, patience).toBe(3)
      await next.stop()
      await expect(one.scheduler.runNow('repair:none')).rejects.toMatchObject({ code: 'NotFound' })
    }, 60_000)

    test('has what is off come back when its librarian is added, and go off when it is removed; others stay', async () => {
      await using catalogue = await open()
      const known = new Set<string>()
      const ran: string[] = []
      const run: TaskKind['run'] = async ({ task_name }) => {
        ran.push(task_name)
        return known.has('b') ? done : { outcome: 'off', note: 'there is no librarian b', counts: {} }
      }
      const librarian = ({ task_name }: { task_name: string }) => (task_name === 'to c' ? 'c' : 'b')
      const entries = [repair('to b'), { task_name: 'at night to b', at: '0 0 1 1 *' }, repair('to c')]
      const one = process(catalogue, entries, run, { atOnce: 3, librarian })
      const states = async () =>
        Object.fromEntries(
          (await one.scheduler.list()).map(({ name, state, outcome }) => [name, `${state} ${outcome}`]),
        )
      await one.start()
      await one.scheduler.runNow((await one.scheduler.list()).find(({ name }) => name === 'at night to b')!.id)
      const off = 'off off'
      await expect.poll(states, patience).toEqual({ 'to b': off, 'at night to b': off, 'to c': off })
      known.add('b')
      await one.scheduler.reconsider('b', true)
      // It runs, but for what has times of its own: that waits for them.
      await expect
        .poll(states, patience)
        .toEqual({ 'to b': 'waiting done', 'at night to b': 'waiting off', 'to c': off })
      known.delete('b')
      await one.scheduler.reconsider('b', false)
      await expect.poll(states, patience).toEqual({ 'to b': off, 'at night to b': off, 'to c': off })
      await one.scheduler.reconsider('nobody', true)
      await one.stop()
      expect(ran.filter(name => name === 'to c')).toHaveLength(1)
      expect(ran.filter(name => name === 'at night to b')).toHaveLength(2)
    }, 60_000)

    test('shows how far a run is, and a run that was stopped; the next process goes on from what it kept', async () => {
      await using catalogue = await open()
      const { runs, run } = held()
      const one = process(catalogue, [repair('a')], run)
      await one.start()
      await expect.poll(() => runs.length, patience).toBe(1)
      expect(runs[0]!.context.cursor).toBeUndefined()
      expect(runs[0]!.context.isOverdue()).toBe(false)
      runs[0]!.context.keep({ after: 17 })
      runs[0]!.context.progress({ read: 17 })
      await expect
        .poll(async () => (await one.scheduler.list())[0], patience)
        .toMatchObject({ state: 'running', counts: '{"read":17}', ended: null })
      await one.stop()
      expect((await one.scheduler.list())[0]).toMatchObject({ state: 'waiting', outcome: 'interrupted' })
      const two = process(catalogue, [repair('a')], run)
      await two.start()
      await expect.poll(() => runs.length, patience).toBe(2)
      expect(runs[1]!.context.cursor).toEqual({ after: 17 })
      runs[1]!.end(done)
      await expect.poll(async () => (await two.scheduler.list())[0]!.outcome, patience).toBe('done')
      await two.stop()
    }, 60_000)

    test('a run whose process was lost shows as interrupted; whoever wakes after another took it changes nothing', async () => {
      await using catalogue = await open()
      const { runs, run } = held()
      const first = process(catalogue, [repair('a')], run).scheduler.runAll(new AbortController().signal)
      await expect.poll(() => runs.length, patience).toBe(1)
      // As if it had been stopped for an hour.
      await catalogue.trial.write(`UPDATE task SET heard = '2020-01-01T00:00:00.000000Z'`)
      const second = process(catalogue, [repair('a')], run)
      expect((await second.scheduler.list())[0]!.state).toBe('interrupted')
      const other = second.scheduler.runAll(new AbortController().signal)
      await expect.poll(() => runs.length, patience).toBe(2)
      runs[0]!.context.progress({ wrong: 1 })
      await expect.poll(() => runs[0]!.context.signal.aborted, patience).toBe(true)
      expect(await first).toMatchObject([{ outcome: 'taken' }])
      runs[1]!.end(done)
      expect(await other).toMatchObject([{ outcome: 'done' }])
      expect((await second.scheduler.list())[0]).toMatchObject({ outcome: 'done', counts: '{"all":2}' })
    }, 60_000)

    test('of ten processes one runs an entry, and no more of a kind than it allows', async () => {
      await using catalogue = await open()
      let now = 0
      let most = 0
      const ran: string[] = []
      const run: TaskKind['run'] = async ({ task_name }) => {
        most = Math.max(most, ++now)
        await new Promise(resolve => setImmediate(resolve))
        now--
        ran.push(task_name)
        return done
      }
      const entries = ['a', 'b', 'c', 'd'].map(name => repair(name))
      const ten = Array.from({ length: 10 }, () => process(catalogue, entries, run, { atOnce: 2 }))
      await Promise.all(ten.map(one => one.scheduler.runAll(new AbortController().signal)))
      expect(most).toBeLessThanOrEqual(2)
      expect(new Set(ran)).toEqual(new Set(['a', 'b', 'c', 'd']))
    }, 60_000)

    test('what has times of its own does not run at the start; rows of entries that are gone go', async () => {
      await using catalogue = await open()
      const ran: string[] = []
      const run: TaskKind['run'] = async ({ task_name }) => {
        ran.push(task_name)
        return done
      }
      const old = process(catalogue, [repair('old')], run)
      await old.start()
      await expect.poll(() => ran, patience).toEqual(['old'])
      await old.stop()
      const one = process(catalogue, [{ task_name: 'at', at: '0 0 1 1 *' }, repair('now')], run)
      await one.start()
      await expect.poll(() => ran, patience).toEqual(['old', 'now'])
      await one.stop()
      expect((await one.scheduler.list()).map(({ name, outcome }) => [name, outcome])).toEqual([
        ['at', null],
        ['now', 'done'],
      ])
      const [at] = await one.scheduler.list()
      expect(at).toMatchObject({ state: 'waiting', next_run: expect.stringMatching(/^\d{4}-01-01T00:00:/) })
      expect(Date.parse(at!.next_run!)).toBeGreaterThan(Date.now())
    }, 60_000)
  })
}

describe('entries of the settings', () => {
  const settings = (raw: object) => backgroundSchema.parse(raw)

  test('keep their ids while they say the same, in the order of the kinds; twins have different ones', () => {
    const one = entriesOf(settings({ repair: [repair('b'), repair('a')], consume_queue: [repair('c')] }))
    expect(one.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['consume_queue c', 'repair b', 'repair a'])
    const other = entriesOf(settings({ repair: [repair('a'), { every: '01:00:00', task_name: 'a' }] }))
    expect(other[0]!.id).toBe(one[2]!.id)
    expect(other[1]!.id).toBe(`${one[2]!.id}-2`)
    expect(entriesOf(settings({ repair: [repair('a', 60)] }))[0]!.id).not.toBe(one[2]!.id)
  })

  test('run at the times of a line of cron in UTC, or after a pause, never without one', () => {
    const [at, never, every] = entriesOf(
      settings({
        repair: [{ task_name: 'a', at: '30 3 * * *' }, { task_name: 'b', at: '0 0 29 2 *' }, repair('c', 0)],
      }),
    ).map(entry => entry.settings)
    const noon = Date.UTC(2026, 10, 20, 12)
    expect(pauseMs(at!, noon)).toBe(15.5 * 3_600_000)
    expect(pauseMs(never!, noon)).toBe(Date.UTC(2028, 1, 29) - noon)
    expect(pauseMs(every!, noon)).toBe(1000)
    for (const bad of [{ at: 'daily' }, { at: '61 * * * *' }, {}, { at: '* * * * *', every: 1 }]) {
      expect(() => settings({ repair: [{ task_name: 'a', ...bad }] })).toThrow(/every|cron/)
    }
  })
})

test('the wire lists tasks and has one run, for administrators, with an entry in the audit', async () => {
  await using house = await openTestHouse()
  await house.sql(
    `INSERT INTO task (id, kind, name, next_run, counts) VALUES ('repair:0', 'repair', 'a', '2026-01-01T00:00:00.000000Z', '{"read":3}')`,
  )
  const { body } = await house.post('tasks/list', {})
  expect(body.tasks).toEqual([
    {
      id: 'repair:0',
      kind: 'repair',
      name: 'a',
      state: 'waiting',
      started_time: null,
      ended_time: null,
      outcome: null,
      note: null,
      counts: { read: 3 },
      next_time: '2026-01-01T00:00:00',
    },
  ])
  expect((await house.post('tasks/list', {}, 'READWRITE')).status).toBe(401)
  const run = await house.post('tasks/run', { id: 'repair:0' })
  expect(run.status).toBe(200)
  expect(Date.parse(`${run.body.next_time}Z`)).toBeGreaterThan(Date.now() - 60_000)
  expect(await house.sql('SELECT queue, key FROM piece')).toEqual([{ queue: 'task/repair', key: 'repair:0' }])
  expect((await house.post('tasks/run', { id: 'repair:1' })).status).toBe(404)
})

test('adding a librarian has the tasks that are for it run, and removing it too', async () => {
  const toB = {
    task_name: 'to b',
    every: 3600,
    age_in_days: 1,
    destination_librarian: 'b',
    store_preference: null,
    warn_disabled_timer: null,
  }
  const background = { send_clone: [toB, { ...toB, task_name: 'to c', destination_librarian: 'c' }] }
  const encryption_key = Buffer.alloc(32, 7).toString('base64url')
  await using house = await openTestHouse({ settings: { name: 'a', encryption_key, background } })
  const entries = entriesOf(house.settings.background)
  for (const { id, kind, name } of entries) {
    await house.sql(`INSERT INTO task (id, kind, name, counts) VALUES ('${id}', '${kind}', '${name}', '{}')`)
  }
  const states = async () => {
    const { body } = await house.post('tasks/list', {})
    return body.tasks.map((task: { name: string; state: string }) => `${task.name} ${task.state}`)
  }
  expect(await states()).toEqual(['to b off', 'to c off'])
  const wanted = [{ queue: 'task/send_clone', key: entries[0]!.id }]
  for (const [path, more] of [
    ['admin/librarians/add', { url: 'http://127.0.0.1', port: 1, authenticator: 'a:b', check_connection: false }],
    ['admin/librarians/remove', { remove_outgoing_transfers: false }],
  ] as const) {
    await house.sql('DELETE FROM piece', 'UPDATE task SET next_run = NULL')
    expect((await house.post(path, { librarian_name: 'b', ...more })).status).toBeLessThan(300)
    expect(await states()).toEqual(['to b waiting', 'to c off'])
    expect(await house.sql('SELECT queue, key FROM piece')).toEqual(wanted)
  }
})

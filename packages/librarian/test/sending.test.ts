/** Sending clones to receivers that answer as real ones do (librarian 11.4 to 11.6). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ScriptedReceiver, startReceiver } from './scripted-receiver.ts'
import { openSendingSite, type SendingSite } from './sending-site.ts'

let receiver: ScriptedReceiver
let site: SendingSite
beforeEach(async () => {
  receiver = await startReceiver()
  site = await openSendingSite(receiver)
})
afterEach(async () => {
  await site[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

const pull = { http: { hostnames: [], protocol: 'pull', version: 1 } }
const rows = (what: string, table = 'outgoing_transfer') =>
  site.catalogue.trial.read(`SELECT ${what} FROM ${table} ORDER BY id`)
const statuses = async () => (await rows('status')).map(({ status }) => status)
const callsOf = (path: string) => receiver.calls.filter(each => each.path === path)

/** What the receiver has staged becomes its own, and it says so. */
async function ingest(): Promise<void> {
  const clones = receiver.ingest().map(({ id, sourceId }) => ({ id: sourceId, remoteId: id, storeId: 4 }))
  await site.catalogue.outgoing.complete({ clones, destination: 'far', sender: 'here' })
}

async function flow(): Promise<void> {
  await site.run('send_clone')
  await site.run('consume_queue')
  await site.run('check_consumed_queue')
  await ingest()
}

describe('a flow', () => {
  for (const [way, providers] of [
    ['by a method', undefined],
    ['that the receiver fetches', pull],
  ] as const) {
    test(`${way}: both sides go through the states, and the copies are known`, async () => {
      if (providers) receiver.providers = providers
      await site.addFiles('a/1', 'a/2', 'b')
      expect(await site.run('send_clone')).toMatchObject({ outcome: 'done', counts: { sent: 3 } })
      // Who fetches is told that they go on when it is asked to.
      const begun = providers ? 'INITIATED' : 'ONGOING'
      expect(await statuses()).toEqual([begun, begun, begun])
      const there = providers ? 0 : 1
      expect(receiver.transfers.map(({ status }) => status)).toEqual([there, there, there])
      expect(await site.run('consume_queue')).toMatchObject({ outcome: 'done', counts: { begun: 1 } })
      expect(await site.run('check_consumed_queue')).toMatchObject({ counts: { completed: 1 } })
      expect(await statuses()).toEqual(['STAGED', 'STAGED', 'STAGED'])
      await ingest()
      expect(await statuses()).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED'])
      expect(await rows('store_id', 'remote_instance')).toHaveLength(3)
      const [record] = await rows(
        'source_endpoint_id, destination_endpoint_id, bytes_transferred',
        'completed_transfer',
      )
      expect(record).toEqual({ source_endpoint_id: 'here', destination_endpoint_id: 'far', bytes_transferred: 6 })
      expect(await site.run('send_clone')).toMatchObject({ outcome: 'done', counts: { sent: 0 } })
      expect(callsOf('clone/batch_stage')).toHaveLength(1)
    })
  }

  test('announces what real receivers expect, and hands the method its places', async () => {
    await site.addFiles('a/1')
    await flow()
    expect(callsOf('clone/batch_stage')[0]?.body).toEqual({
      source: 'here',
      total_size: 1,
      uploads: [
        {
          upload_size: 1,
          upload_checksum: 'xxh3:::1',
          upload_name: 'a/1',
          destination_location: 'a/1',
          uploader: 'ada',
          source_transfer_id: 1,
        },
      ],
    })
    expect(site.method.given).toEqual([
      [{ source: '/s1/a/1', target: '/far/staging/dir-1/a/1', size: 1, isTree: false }],
    ])
  })

  test('between tasks nothing waits for a schedule: the queue is worked on as soon as there is something in it', async () => {
    const stop = new AbortController()
    const working = site.feature().work(stop.signal)
    await site.addFiles('a', 'b', 'c')
    await site.run('send_clone', { send_batch_size: 2 })
    await expect.poll(statuses, { timeout: 5000, interval: 10 }).toEqual(['STAGED', 'STAGED', 'STAGED'])
    stop.abort()
    await working
  })

  test('what the receiver has not moved yet is looked at again, until it has', async () => {
    receiver.providers = pull
    receiver.pulls = false
    const stop = new AbortController()
    const working = site.feature().work(stop.signal)
    await site.addFiles('a')
    await site.run('send_clone')
    await expect.poll(() => callsOf('checkin/status').length, { timeout: 5000, interval: 10 }).toBeGreaterThan(2)
    receiver.transfers[0]!.status = 2
    await expect.poll(statuses, { timeout: 5000, interval: 10 }).toEqual(['STAGED'])
    stop.abort()
    await working
  })
})

describe('the way that is chosen', () => {
  const far = { local: { hostnames: ['elsewhere'] } }

  test('is the first that can be used; the receiver fetches only where none can', async () => {
    receiver.providers = { ...pull, ...far, here: { hostnames: ['here'] } }
    await site.addFiles('a')
    await flow()
    expect(site.method.given).toHaveLength(1)
    receiver.providers = { ...pull, ...far, later: { hostnames: ['elsewhere'] } }
    await site.addFiles('b')
    await flow()
    expect((await rows('method', 'send_item')).map(({ method }) => method)).toEqual(['local', 'http'])
  })

  test('who fetches may be done before we know that it has begun: it is believed', async () => {
    receiver.providers = pull
    await site.addFiles('a')
    await site.run('send_clone')
    receiver.fault = path => {
      if (path !== 'clone/pull') return undefined
      site.kill()
      return 'after'
    }
    await expect(site.run('consume_queue')).rejects.toThrow('killed')
    const clones = receiver.ingest().map(({ id, sourceId }) => ({ id: sourceId, remoteId: id, storeId: 4 }))
    expect(await site.catalogue.outgoing.complete({ clones, destination: 'far', sender: 'here' })).toMatchObject({
      refused: [],
    })
    expect(await statuses()).toEqual(['COMPLETED'])
    receiver.fault = () => undefined
    await site.restart()
    await site.run('consume_queue')
    expect(await rows('completed', 'send_item')).toEqual([{ completed: 1 }])
  })

  test('nobody is asked to fetch who does not say that it knows how', async () => {
    receiver.providers = pull
    receiver.saysFlows = () => false
    await site.addFiles('a')
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 0, failed: 1 } })
    expect(callsOf('clone/pull')).toEqual([])
    expect(site.alarms).toMatchObject([{ category: 'configuration' }])
  })

  test('where there is none, everything fails on both sides, and somebody hears of it', async () => {
    receiver.providers = far
    await site.addFiles('a', 'b')
    expect(await site.run('send_clone')).toMatchObject({ outcome: 'partial', note: expect.stringContaining('No way') })
    expect(await statuses()).toEqual(['FAILED', 'FAILED'])
    await site.deliver()
    expect(receiver.transfers.map(({ status }) => status)).toEqual([4, 4])
    expect(site.alarms).toMatchObject([
      { category: 'configuration', message: expect.stringContaining('another machine') },
    ])
  })

  test('an answer that would lead our writes elsewhere is taken for none', async () => {
    await site.addFiles('a', 'b')
    receiver.fault = (path, body) =>
      path === 'clone/batch_stage'
        ? {
            status: 201,
            body: {
              available_bytes_on_store: 1,
              store_name: 's',
              uploads: body.uploads.map((each: { source_transfer_id: number; upload_name: string }, n: number) => ({
                staging_name: 'x',
                staging_location: n === 0 ? '/far/../etc/a' : '/far/passwd',
                upload_name: each.upload_name,
                destination_location: each.upload_name,
                source_transfer_id: each.source_transfer_id,
                destination_transfer_id: n,
              })),
              async_transfer_providers: receiver.providers,
            },
          }
        : undefined
    await flow()
    expect(site.method.given).toEqual([])
    expect(await statuses()).toEqual(['FAILED', 'FAILED'])
  })
})

describe('refusals', () => {
  test('409: what is there already is complete, and the rest goes at once', async () => {
    await site.addFiles('a', 'b', 'c')
    receiver.files.set('b', 'xxh3:::2')
    expect(await site.run('send_clone')).toMatchObject({ outcome: 'done', counts: { sent: 2, known: 1, failed: 0 } })
    expect(await statuses()).toEqual(['ONGOING', 'COMPLETED', 'ONGOING'])
    expect(await rows('file_name, store_id', 'remote_instance')).toEqual([{ file_name: 'b', store_id: 4 }])
    expect(callsOf('clone/batch_stage')).toHaveLength(2)
  })

  test('409 with another content: that one fails and is told, the rest goes at once', async () => {
    await site.addFiles('a', 'b')
    receiver.files.set('a', 'xxh3:::other')
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 1, known: 0, failed: 1 } })
    expect(await statuses()).toEqual(['FAILED', 'ONGOING'])
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 0, failed: 0 } })
    await site.catalogue.trial.write(
      `UPDATE outgoing_transfer SET end_time = '2026-01-01T00:00:00.000000Z' WHERE id = 1`,
    )
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 0, failed: 1 } })
    expect(site.alarms.length).toBeGreaterThan(0)
    expect(site.alarms.slice(0, 1)).toMatchObject([
      { category: 'data_integrity', message: expect.stringContaining('xxh3:::other') },
    ])
  })

  test('409 where nothing is called so: a name that would hold, or lie in, one there is told once, and rests', async () => {
    await site.addFiles('a', 'b')
    receiver.files.set('a', 'xxh3:::1')
    receiver.fault = path =>
      path === 'search/file'
        ? { status: 404, body: { reason: 'No files found.', suggested_remedy: 'Check.' } }
        : undefined
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 1, known: 0, failed: 1 } })
    expect(await rows(`file_name, reason`)).toMatchObject([
      { file_name: 'a', reason: expect.stringContaining('cannot take this name') },
      { file_name: 'b' },
    ])
    expect(site.alarms).toMatchObject([
      { category: 'data_integrity', message: expect.stringContaining('lies below it') },
    ])
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 0, failed: 0 } })
  })

  test('401: what is wrong with the account or its password there is an alarm', async () => {
    await site.addFiles('a')
    const body = { reason: 'Incorrect username or password', suggested_remedy: 'Check.' }
    receiver.fault = path => (path === 'clone/batch_stage' ? { status: 401, body } : undefined)
    expect(await site.run('send_clone')).toMatchObject({ outcome: 'partial', counts: { sent: 0, failed: 1 } })
    expect(site.alarms).toMatchObject([
      { category: 'configuration', message: expect.stringContaining('does not accept our account or password') },
    ])
    receiver.fault = () => undefined
    expect(await site.run('send_clone')).toMatchObject({ outcome: 'done', counts: { sent: 1, failed: 0 } })
  })

  test('406 and 425: those wait for the next run, the rest goes at once', async () => {
    await site.addFiles('a', 'b', 'c')
    receiver.transfers.push(
      { id: 1, sourceId: 77, name: 'a', checksum: 'xxh3:::1', status: 0 },
      { id: 2, sourceId: 78, name: 'b', checksum: 'xxh3:::2', status: 1 },
    )
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 2, failed: 1 } })
    expect((await rows('file_name, status')).map(({ file_name, status }) => [file_name, status])).toEqual([
      ['a', 'ONGOING'],
      ['b', 'FAILED'],
      ['c', 'ONGOING'],
    ])
    receiver.transfers[1]!.status = 4
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 1, failed: 0 } })
  })

  for (const [claim, answer] of [
    ['500 in plain text', { status: 500, body: 'Internal Server Error', type: 'text/plain' }],
    ['a full store', { status: 413, body: { detail: '{"reason": "no room", "suggested_remedy": "wait"}' } }],
    [
      'a list of faults',
      { status: 422, body: { detail: [{ type: 'missing', loc: ['body'], msg: 'Field required' }] } },
    ],
    ['a refusal that names nobody', { status: 409, body: {} }],
  ] as const) {
    test(`${claim}: the batch fails, the run ends, and the next one sends`, async () => {
      await site.addFiles('a', 'b', 'c')
      receiver.fault = path => (path === 'clone/batch_stage' ? answer : undefined)
      expect(await site.run('send_clone', { send_batch_size: 2 })).toMatchObject({ outcome: 'partial' })
      expect(await statuses()).toEqual(['FAILED', 'FAILED'])
      expect(callsOf('clone/batch_stage')).toHaveLength(1)
      receiver.fault = () => undefined
      await flow()
      expect(await rows('file_name', 'remote_instance')).toHaveLength(3)
    })
  }
})

describe('while others work', () => {
  test('two runs at once send each file once', async () => {
    await site.addFiles('a', 'b', 'c', 'd')
    const runs = await Promise.all([1, 2].map(() => site.run('send_clone', { send_batch_size: 1 })))
    expect(runs.map(({ outcome }) => outcome)).toContain('done')
    expect(receiver.transfers.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c', 'd'])
    expect(await statuses()).toEqual(['ONGOING', 'ONGOING', 'ONGOING', 'ONGOING'])
  })

  test('who waits for a slow answer keeps the lease', async () => {
    site.leaseSeconds = 0.5
    await site.restart()
    await site.addFiles('a')
    receiver.fault = path => (path === 'clone/batch_stage' ? { delayMs: 1500 } : undefined)
    const slow = site.run('send_clone')
    await expect.poll(() => callsOf('clone/batch_stage').length, { timeout: 5000, interval: 10 }).toBe(1)
    const [lease] = await site.catalogue.leases.list()
    await expect.poll(() => new Date().toISOString() > lease!.expires, { timeout: 5000, interval: 10 }).toBe(true)
    await site.addFiles('b')
    expect(await site.run('send_clone')).toMatchObject({
      outcome: 'partial',
      note: expect.stringContaining('somebody'),
    })
    expect(await slow).toMatchObject({ outcome: 'done', counts: { sent: 1 } })
  })

  test('a receiver that is silent is asked once a run, however many batches wait for it', async () => {
    receiver.providers = pull
    await site.addFiles('a', 'b', 'c', 'd', 'e', 'f', 'g')
    await site.run('send_clone', { send_batch_size: 1 })
    receiver.fault = path => (path === 'clone/pull' ? 'before' : undefined)
    await site.run('consume_queue')
    expect(callsOf('clone/pull').length).toBeLessThanOrEqual(4)
    receiver.fault = () => undefined
    await expect.poll(async () => (await site.run('consume_queue')).counts.begun, { timeout: 5000 }).toBe(0)
    receiver.fault = path => (path === 'checkin/status' ? 'before' : undefined)
    expect(await site.run('check_consumed_queue')).toMatchObject({ counts: { unknown: 1, completed: 0 } })
    expect(callsOf('checkin/status')).toHaveLength(1)
    await site.catalogue.trial.write('DELETE FROM peer')
    expect(await site.run('consume_queue')).toMatchObject({ outcome: 'done', counts: { begun: 0 } })
  })
})

describe('what is not sent', () => {
  test('nothing to a librarian that is switched off, with a warning only now and then', async () => {
    await site.addFiles('a')
    await site.catalogue.peers.setTransfersEnabled({ name: 'far', enabled: false })
    for (let run = 0; run < 3; run++) await site.run('send_clone', { warn_disabled_timer: 1 })
    expect(site.alarms).toHaveLength(1)
    await site.run('send_clone', { warn_disabled_timer: null })
    expect([site.alarms.length, receiver.calls.length, (await rows('id')).length]).toEqual([1, 0, 0])
  })

  test('nothing to who is unknown, or from a store that is', async () => {
    expect((await site.run('send_clone', { destination_librarian: 'x' })).outcome).toBe('off')
    expect((await site.run('send_clone', { store_preference: 'x' })).outcome).toBe('off')
    expect((await site.run('check_consumed_queue', { complete_status: 3 })).outcome).toBe('off')
  })

  test('nothing to who does not answer, and no transfer is begun', async () => {
    await site.addFiles('a')
    receiver.fault = () => 'before'
    expect((await site.run('send_clone')).outcome).toBe('partial')
    expect(await rows('id')).toEqual([])
  })

  test('a file without a good copy is told of, and the others go', async () => {
    await site.addFiles('a', 'b')
    await site.catalogue.trial.write(`UPDATE instance SET state = 'mismatch' WHERE file_name = 'a'`)
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 1, without: 1 } })
    expect(site.alarms).toMatchObject([{ category: 'data_availability', message: expect.stringContaining('a cannot') }])
  })

  test('a run ends when its time is over, and the next goes on', async () => {
    await site.addFiles('a', 'b', 'c')
    let asked = 0
    const context = { isOverdue: () => ++asked > 2 }
    expect(await site.run('send_clone', { send_batch_size: 1 }, context)).toMatchObject({
      outcome: 'partial',
      counts: { sent: 2 },
    })
    expect(await site.run('send_clone')).toMatchObject({ counts: { sent: 1 } })
  })
})

describe('failures on the way', () => {
  test('an attempt that fails is made again; when all have failed, both sides end it and it is sent anew', async () => {
    await site.addFiles('a')
    await site.run('send_clone')
    site.method.fails = 2
    await expect
      .poll(async () => (await site.run('consume_queue')) && (await statuses()), { timeout: 5000, interval: 10 })
      .toEqual(['FAILED'])
    expect(await rows('retries, failed, completed, reason', 'send_item')).toEqual([
      { retries: 1, failed: 1, completed: 1, reason: 'the disk is on fire' },
    ])
    expect(site.alarms).toMatchObject([{ category: 'transfer', message: expect.stringContaining('on fire') }])
    await site.deliver()
    expect(receiver.transfers.map(({ status }) => status)).toEqual([4])
    await flow()
    expect(await statuses()).toEqual(['FAILED', 'COMPLETED'])
  })

  test('a person has what failed sent anew, once; what has arrived is not sent again', async () => {
    await site.addFiles('a')
    await site.run('send_clone')
    site.method.fails = 2
    await expect
      .poll(async () => (await site.run('consume_queue')) && (await statuses()), { timeout: 5000, interval: 10 })
      .toEqual(['FAILED'])
    await site.deliver()
    const [first] = await rows('id')
    const retry = () => site.feature().retry(Number(first!.id), { signal: AbortSignal.timeout(20_000) })
    const second = await retry()
    expect(await rows('id, status')).toEqual([
      { id: first!.id, status: 'FAILED' },
      { id: second, status: 'ONGOING' },
    ])
    await expect(retry()).rejects.toMatchObject({ code: 'Conflict' })
    await flow()
    expect(await statuses()).toEqual(['FAILED', 'COMPLETED'])
    await expect(retry()).rejects.toMatchObject({ code: 'Conflict' })
    expect(await statuses()).toHaveLength(2)
  })

  test('a receiver that is away is no failed attempt', async () => {
    receiver.providers = pull
    await site.addFiles('a')
    await site.run('send_clone')
    receiver.fault = path => (path === 'clone/pull' ? 'before' : undefined)
    for (let run = 0; run < 5; run++) await site.run('consume_queue')
    expect(await rows('retries, failed, consumed', 'send_item')).toEqual([{ retries: 0, failed: 0, consumed: 0 }])
    receiver.fault = () => undefined
    await expect
      .poll(async () => (await site.run('consume_queue')) && (await rows('consumed', 'send_item')), { timeout: 5000 })
      .toEqual([{ consumed: 1 }])
  })

  test('a method that says later that it failed is cancelled, and the transfers fail', async () => {
    await site.addFiles('a')
    site.method.standing = { status: 'running' }
    await site.run('send_clone')
    await site.run('consume_queue')
    expect(await site.run('check_consumed_queue')).toMatchObject({ counts: { running: 1 } })
    site.method.standing = { status: 'unknown', reason: 'no network' }
    expect(await site.run('check_consumed_queue')).toMatchObject({ counts: { unknown: 1 } })
    site.method.standing = { status: 'failed', reason: 'no permission' }
    expect(await site.run('check_consumed_queue')).toMatchObject({ counts: { failed: 1 } })
    expect([await statuses(), site.method.cancelled.length]).toEqual([['FAILED'], 1])
  })

  test('of a batch that the receiver fetched in part the rest fails, with what it said', async () => {
    receiver.providers = pull
    receiver.pulls = false
    await site.addFiles('a', 'b', 'c')
    await site.run('send_clone')
    await site.run('consume_queue')
    receiver.transfers[0]!.status = 2
    receiver.transfers[1]!.status = 4
    expect(await site.run('check_consumed_queue')).toMatchObject({ counts: { running: 1 } })
    receiver.transfers[2]!.status = 3
    expect(await site.run('check_consumed_queue')).toMatchObject({ counts: { completed: 1 } })
    expect(await statuses()).toEqual(['STAGED', 'FAILED', 'STAGED'])
  })

  test('old transfers are asked after: there, elsewhere, or nowhere', async () => {
    await site.addFiles('a', 'b', 'c')
    await site.run('send_clone')
    receiver.files.set('a', 'xxh3:::1')
    receiver.files.set('b', 'xxh3:::other')
    expect(await site.run('outgoing_transfer_hypervisor', { age_in_days: 1 })).toMatchObject({
      counts: { completed: 0 },
    })
    const before = { age_in_days: -1 }
    receiver.fault = () => 'before'
    expect(await site.run('outgoing_transfer_hypervisor', before)).toMatchObject({ counts: { left: 3 } })
    receiver.fault = () => undefined
    expect(await site.run('outgoing_transfer_hypervisor', before)).toMatchObject({
      counts: { completed: 1, failed: 2 },
    })
    expect(await statuses()).toEqual(['COMPLETED', 'FAILED', 'FAILED'])
    await site.run('consume_queue')
    expect(await rows('completed, failed', 'send_item')).toEqual([{ completed: 1, failed: 0 }])
  })
})

describe('whatever happens at whichever step, the next runs converge', () => {
  const names = ['a', 'b', 'c']

  /** Runs of all tasks, as schedules would make them, until everything has arrived. */
  async function converge(what: string): Promise<void> {
    receiver.fault = () => undefined
    site.onCall = () => {}
    for (let round = 0; round < 8; round++) {
      for (const key of ['send_clone', 'consume_queue', 'check_consumed_queue']) await site.run(key)
      await ingest()
      await site.deliver()
    }
    expect([...receiver.files.keys()].sort(), what).toEqual(names)
    const copies = await rows('file_name', 'remote_instance')
    expect(copies.map(({ file_name }) => file_name).sort(), what).toEqual(names)
    const open = (await rows('status, reason')).filter(({ status }) => !/COMPLETED|FAILED/.test(String(status)))
    expect(open, what).toEqual([])
    const items = await rows('completed', 'send_item')
    expect(
      items.every(({ completed }) => completed === 1),
      what,
    ).toBe(true)
  }

  const tasks = ['send_clone', 'consume_queue', 'check_consumed_queue']
  const once = async () => {
    for (const key of tasks) await site.run(key).catch(() => {})
    await ingest()
  }

  async function fresh(providers: ScriptedReceiver['providers'] | undefined): Promise<void> {
    await site[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
    receiver = await startReceiver()
    if (providers) receiver.providers = providers
    site = await openSendingSite(receiver)
    await site.addFiles(...names)
  }

  for (const [way, providers] of [
    ['by a method', undefined],
    ['that the receiver fetches', pull],
  ] as const) {
    test(`${way}: killed before and after each call of the catalogue`, async () => {
      await fresh(providers)
      const seen: string[] = []
      site.onCall = (name, when) => void seen.push(`${name} ${when}`)
      await once()
      expect(seen.length).toBeGreaterThan(30)
      for (let at = 0; at < seen.length; at++) {
        await fresh(providers)
        let count = 0
        site.onCall = () => {
          if (count++ === at) site.kill()
        }
        await once()
        await site.restart()
        await converge(`killed at ${seen[at]}`)
      }
    }, 120_000)

    test(`${way}: each call to the receiver lost, its answer lost, refused, or the process killed at it`, async () => {
      await fresh(providers)
      await once()
      const { length } = receiver.calls
      expect(length).toBeGreaterThan(4)
      const broken = { status: 500, body: 'Internal Server Error', type: 'text/plain' }
      for (const fault of ['before', 'after', broken, 'killed'] as const) {
        for (let at = 0; at < length; at++) {
          await fresh(providers)
          let path = ''
          receiver.fault = called => {
            if (receiver.calls.length !== at + 1) return undefined
            path = called
            if (fault !== 'killed') return fault
            site.kill()
            return 'after'
          }
          await once()
          await site.restart()
          await converge(`${JSON.stringify(fault)} at call ${at}, ${path}`)
        }
      }
    }, 120_000)
  }
})

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { digestAlgorithms } from '../integrity/algorithms.ts'
import { createDigester } from '../integrity/digester.ts'
import { digestOf, loadHashers, toHex } from '../integrity/hasher.ts'
import { allocateShared } from '../shared-memory.ts'
import { createHashPool, type HashPool, type HashPoolOptions } from './hash-pool.ts'
import type { HashWorkerData } from './hash-worker.ts'

const MIB = 1_048_576
const buffer = allocateShared(8 * MIB)
const bytes = new Uint8Array(buffer, 4096, 4 * MIB)
const pools: HashPool[] = []

beforeAll(async () => {
  bytes.set(testData(bytes.length))
  await loadHashers(digestAlgorithms)
})

afterEach(async () => {
  await Promise.all(pools.splice(0).map(pool => pool.close()))
})

function open(options: Partial<HashPoolOptions> = {}): HashPool {
  const pool = createHashPool({ buffer, ...options })
  pools.push(pool)
  return pool
}

/** Spawns as the pool does and keeps the workers in reach. */
function watched() {
  const workers: Worker[] = []
  const spawn = (workerData: HashWorkerData) => {
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { workerData, execArgv: [] })
    workers.push(worker)
    return worker
  }
  return { workers, spawn }
}

describe('createHashPool()', () => {
  test('starts no worker before there is work, and no more than its size', async () => {
    const { workers, spawn } = watched()
    const pool = open({ size: 2, spawn })
    expect(workers).toHaveLength(0)
    const streams = digestAlgorithms.map(algorithm => pool.open(algorithm))
    expect(workers).toHaveLength(2)
    await Promise.all(streams.map(stream => stream.update(bytes)))
    const digests = await Promise.all(streams.map(stream => stream.digest()))
    expect(digests.map(toHex)).toEqual(digestAlgorithms.map(algorithm => toHex(digestOf(algorithm, bytes))))
  })

  test('digests chunks of every algorithm', async () => {
    const digests = await open().digestChunk(digestAlgorithms, bytes)
    expect(digests.map(toHex)).toEqual(digestAlgorithms.map(algorithm => toHex(digestOf(algorithm, bytes))))
  })

  test('copies bytes that are not in its memory, which may change at once', async () => {
    const stream = open().open('sha256')
    const elsewhere = bytes.slice()
    const done = stream.update(elsewhere)
    elsewhere.fill(0)
    await done
    expect(toHex(await stream.digest())).toBe(toHex(digestOf('sha256', bytes)))
  })

  test('rejects what a killed worker was doing, and works on with another', async () => {
    const { workers, spawn } = watched()
    const pool = open({ size: 1, spawn })
    const stream = pool.open('md5')
    await stream.update(bytes)
    const pending = [stream.update(bytes), stream.update(bytes)]
    void workers[0]!.terminate()
    for (const update of pending) {
      await expect(update).rejects.toMatchObject({ name: 'TransferError', retriable: true })
    }
    await expect(stream.digest()).rejects.toThrow('the hash worker must stay until the end, it ended with code 1')
    const [digest] = await pool.digestChunk(['md5'], bytes)
    expect(workers).toHaveLength(2)
    expect(toHex(digest!)).toBe(toHex(digestOf('md5', bytes)))
  })

  test('says why a worker failed', async () => {
    const spawn = () => new Worker('throw new RangeError("no memory left")', { eval: true })
    await expect(open({ spawn }).open('md5').update(bytes)).rejects.toThrow('it failed: RangeError: no memory left')
  })

  test('gives no digest of a stream whose update failed', async () => {
    const outside = new Proxy(bytes, {
      get: (target, key) => (key === 'byteOffset' ? buffer.byteLength : Reflect.get(target, key, target)),
    })
    const stream = open().open('md5')
    await expect(stream.update(outside)).rejects.toThrow(/Cannot hash: RangeError/)
    await expect(stream.digest()).rejects.toThrow('is not open')
  })

  test('rejects everything once it is closed', async () => {
    const pool = open()
    const stream = pool.open('md5')
    const update = stream.update(bytes)
    const refused = expect(update).rejects.toMatchObject({ name: 'TransferError' })
    await pool.close()
    await refused
    await expect(pool.open('md5').update(bytes)).rejects.toMatchObject({ code: 'Cancelled' })
    await pool.close()
  })

  test('does not keep an idle process alive', () => {
    const source = `
      import { createHashPool } from ${JSON.stringify(fileURLToPath(new URL('./hash-pool.ts', import.meta.url)))}
      const pool = createHashPool({ buffer: new SharedArrayBuffer(1000000) })
      const stream = pool.open('md5')
      await stream.update(new Uint8Array(1000000))
      console.log(Buffer.from(await stream.digest()).toString('hex'))
      pool.open('md5')`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect({ status: child.status, stdout: child.stdout.trim() }).toEqual({
      status: 0,
      stdout: toHex(digestOf('md5', new Uint8Array(1_000_000))),
    })
  })
})

describe('createDigester() on a pool whose worker is killed in mid-stream', () => {
  test('rejects pending adds and finish(), and leaves no promise behind', async () => {
    const { workers, spawn } = watched()
    const digester = createDigester({ algorithms: ['md5', 'crc64nvme'], size: 4 * MIB, pool: open({ size: 2, spawn }) })
    await digester.add(0, bytes.subarray(0, MIB))
    // First, so that none is quick enough to answer; the pool does not know yet.
    for (const worker of workers) void worker.terminate()
    const early = digester.add(2 * MIB, bytes.subarray(2 * MIB))
    const pending = digester.add(MIB, bytes.subarray(MIB, 2 * MIB))
    const refusal = { name: 'TransferError', retriable: true }
    await Promise.all([
      expect(pending).rejects.toMatchObject(refusal),
      expect(early).rejects.toMatchObject(refusal),
      expect(digester.finish(4 * MIB)).rejects.toMatchObject(refusal),
    ])
    digester.close()
  })
})

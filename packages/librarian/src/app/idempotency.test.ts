import { endpoints } from '@arriero/api'
import { expect, test } from 'vitest'
import { createOnce, type IdempotencyOperations } from './idempotency.ts'

const call = { request: {}, actor: 'ada', key: 'k' }

/** As a killed server leaves it: begun, and nobody works on it. */
function leftRunning({ gone = [] }: { gone?: readonly string[] } = {}) {
  const finished: unknown[] = []
  const operations: IdempotencyOperations = {
    begin: async ({ dead }) => (dead === 'before' ? { state: 'interrupted' } : { state: 'running', holder: 'before' }),
    touch: async () => true,
    finish: async outcome => void finished.push(outcome),
    abandon: async () => {},
  }
  return {
    once: createOnce(operations, { holder: 'me', gone: async all => new Set(all.filter(each => gone.includes(each))) }),
    finished,
  }
}

test('createOnce() lets nobody begin what another call may be doing', async () => {
  const { once, finished } = leftRunning()
  const work = async () => ({ status: 201, body: '{}' })
  await expect(once({ ...call, endpoint: endpoints.users.create }, work)).rejects.toMatchObject({ code: 'Busy' })
  expect(finished).toEqual([])
})

test('createOnce() goes on at once with what a process that is gone has begun', async () => {
  const { once, finished } = leftRunning({ gone: ['before'] })
  const work = async () => ({ status: 200, body: '{}' })
  expect(await once({ ...call, endpoint: endpoints.upload.batchStage }, work)).toMatchObject({ isReplay: false })
  expect(finished).toHaveLength(1)
})

test('createOnce() lets a commit join one that may be under way, and keeps its answer', async () => {
  const { once, finished } = leftRunning()
  const work = async () => ({ status: 200, body: undefined })
  for (const endpoint of [endpoints.upload.commit, endpoints.upload.batchCommit]) {
    expect(await once({ ...call, endpoint }, work)).toMatchObject({ kept: { status: 200 }, isReplay: false })
  }
  expect(finished).toHaveLength(2)
})

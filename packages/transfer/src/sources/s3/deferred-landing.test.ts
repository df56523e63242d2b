import { expect, test } from 'vitest'
import { RecordingLanding } from '../../../test/recording-landing.ts'
import { DeferredLanding } from './deferred-landing.ts'

test('has no room until the landing is there, then is that landing', async () => {
  const { promise, resolve } = Promise.withResolvers<RecordingLanding>()
  const deferred = new DeferredLanding(promise)
  expect([deferred.room().length, deferred.isComplete]).toEqual([0, false])
  const waiting = deferred.whenRoom()
  resolve(new RecordingLanding({ capacity: 3 }))
  await waiting
  expect(deferred.room().length).toBe(3)
  deferred.advance(3)
  expect(deferred.isComplete).toBe(true)
})

test('whoever waits is told why there is none', async () => {
  const deferred = new DeferredLanding(Promise.reject(new Error('not wanted')))
  await expect(deferred.whenRoom()).rejects.toThrow('not wanted')
})

import { expect, test } from 'vitest'
import { Progress } from '../progress.ts'
import { enginePhase } from './engine-readings.ts'

test('one file: prepare, fetch, verify, publish, and nothing new after that', () => {
  const progress = new Progress()
  const seen: unknown[] = [enginePhase(progress)]
  progress.onState = () => seen.push(enginePhase(progress))
  const file = progress.start('http://h/a', 10)
  progress.enter(file, 'fetching')
  progress.landed(file, 10)
  progress.enter(file, 'verifying')
  progress.enter(file, 'publishing')
  progress.finish(file, 'done')
  expect(seen).toEqual(['prepare', 'fetch', 'verify', 'publish', undefined])
})

test('a list is fetched until its last files are', () => {
  const progress = new Progress()
  progress.listed = 3
  expect(enginePhase(progress)).toBe('prepare')
  const [first, second] = ['a', 'b'].map(name => progress.start(`http://h/${name}`, 1))
  progress.enter(first!, 'publishing')
  progress.finish(first!, 'done')
  progress.enter(second!, 'verifying')
  expect(enginePhase(progress)).toBe('fetch')
  progress.isListed = true
  const third = progress.start('http://h/c', 1)
  progress.enter(third, 'fetching')
  expect(enginePhase(progress)).toBe('fetch')
  progress.enter(third, 'publishing')
  expect(enginePhase(progress)).toBe('verify')
  progress.finish(second!, 'failed')
  expect(enginePhase(progress)).toBe('publish')
})

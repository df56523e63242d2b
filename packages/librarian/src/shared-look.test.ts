import { expect, test } from 'vitest'
import { createSharedLook, createSharedLooks } from './shared-look.ts'

function lookOf() {
  const looks: PromiseWithResolvers<number>[] = []
  const look = createSharedLook(() => {
    looks.push(Promise.withResolvers())
    return looks.at(-1)!.promise
  })
  return { looks, look }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('who asks together shares a look', async () => {
  const { looks, look } = lookOf()
  const asked = [look(), look(), look()]
  await turn()
  expect(looks).toHaveLength(1)
  looks[0]!.resolve(7)
  expect(await Promise.all(asked)).toEqual([7, 7, 7])
})

test('who asks while a look is under way gets one that began later', async () => {
  const { looks, look } = lookOf()
  const first = look()
  await turn()
  const [second, third] = [look(), look()]
  looks[0]!.resolve(1)
  expect(await first).toBe(1)
  await turn()
  expect(looks).toHaveLength(2)
  looks[1]!.resolve(2)
  expect(await Promise.all([second, third])).toEqual([2, 2])
})

test('a look that fails fails those who shared it, and nobody else', async () => {
  const { looks, look } = lookOf()
  const first = look()
  await turn()
  const second = look()
  looks[0]!.reject(new Error('gone'))
  await expect(first).rejects.toThrow('gone')
  await turn()
  looks[1]!.resolve(2)
  expect(await second).toBe(2)
  const third = look()
  await turn()
  looks[2]!.resolve(3)
  expect(await third).toBe(3)
})

test('who asks about one thing does not wait for a look at another', async () => {
  const seen: string[] = []
  const held = Promise.withResolvers<string>()
  const look = createSharedLooks(async key => {
    seen.push(key)
    return key === 'slow' ? held.promise : key
  })
  const slow = [look('slow'), look('slow')]
  expect(await Promise.all([look('quick'), look('quick')])).toEqual(['quick', 'quick'])
  held.resolve('slow at last')
  expect(await Promise.all(slow)).toEqual(['slow at last', 'slow at last'])
  expect(seen).toEqual(['slow', 'quick'])
  expect(await look('quick')).toBe('quick')
  expect(seen).toHaveLength(3)
})

import { expect, test } from 'vitest'
import { findTrees } from './find-trees.ts'

test('findTrees() takes directories that hold only files, and nothing known', () => {
  const files = ['run/1/x', 'run/1/y', 'run/z', 'top', 'half/new', 'deep/a/b/c']
  expect(findTrees(files, new Set(['half']))).toEqual(['deep/a/b', 'run/1'])
})

test('findTrees() takes no directory that holds an empty one', () => {
  expect(findTrees(['run/x'], new Set(['run']))).toEqual([])
})

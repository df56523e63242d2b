import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkPlacesApart, findOverlap } from './places-apart.ts'

const place = (path: string, isStaging = false) => ({ what: path, path, isStaging })

test.each([
  ['a staging area that is its store', [place('/a'), place('/a', true)]],
  ['a staging area in a store', [place('/a'), place('/a/staging', true)]],
  ['a store in a staging area', [place('/a/files'), place('/a', true)]],
  ['a store in another', [place('/a'), place('/a/b/c')]],
  ['one store twice', [place('/a'), place('/a')]],
  ['anything in the root', [place('/'), place('/a', true)]],
])('findOverlap() finds %s', (_, places) => expect(findOverlap(places)).toBeDefined())

test('findOverlap() lets alone what is side by side, also when names begin alike, and a staging area of two stores', () => {
  expect(findOverlap([place('/d/a'), place('/d/ab'), place('/d/a-staging', true), place('/d/a-staging', true)])).toBe(
    undefined,
  )
})

test('checkPlacesApart() sees through links, and names both', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'places-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await mkdir(join(directory, 'files'))
  await symlink('files', join(directory, 'link'))
  const data = { store_path: join(directory, 'files'), staging_path: join(directory, 'link') }
  await expect(checkPlacesApart([{ name: 'main', type: 'local', data }])).rejects.toThrow(
    /store_path of store main.*staging_path of store main|staging_path of store main.*store_path of store main/,
  )
})

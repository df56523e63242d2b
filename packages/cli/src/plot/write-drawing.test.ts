import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pictureType, writeDrawing } from './write-drawing.ts'

const drawing = { title: 'A picture', width: 10, height: 10, svg: '<svg></svg>', offsets: [] }
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-plot-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

test('the name says which kind of picture it is; another name is wrong usage', () => {
  expect([pictureType('a.svg'), pictureType('dir.png/b.HTML')]).toEqual(['.svg', '.html'])
  expect(() => pictureType('a.png')).toThrow('Cannot draw a.png: the name must end with .svg or .html.')
  expect(() => pictureType('svg')).toThrow(/must end/)
})

test('writeDrawing() replaces an earlier picture and leaves nothing else', async () => {
  await writeFile(join(folder, 'a.svg'), 'old')
  writeDrawing(join(folder, 'a.svg'), drawing)
  writeDrawing(join(folder, 'a.html'), drawing)
  expect(await readdir(folder)).toEqual(['a.html', 'a.svg'])
  expect(await readFile(join(folder, 'a.svg'), 'utf8')).toContain('<svg></svg>')
  expect(await readFile(join(folder, 'a.html'), 'utf8')).toMatch(/^<!doctype html>/)
})

test('a picture that cannot be put in place leaves nothing', async () => {
  await mkdir(join(folder, 'taken.svg'))
  expect(() => writeDrawing(join(folder, 'taken.svg'), drawing)).toThrow('it is a directory')
  expect(() => writeDrawing(join(folder, 'gone', 'a.svg'), drawing)).toThrow('its directory is not there')
  expect(await readdir(folder)).toEqual(['taken.svg'])
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readConfigurations } from './config-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'arriero-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function read(name: string, text: string) {
  const path = join(folder, name)
  writeFileSync(path, text)
  return readConfigurations(path)
}

describe('readConfigurations()', () => {
  const expected = [
    { name: 'a', connections: 2, partSize: 2 ** 22, threads: undefined, args: [] },
    { name: 'b', connections: undefined, partSize: undefined, threads: 1, args: ['--no-fsync'] },
  ]

  test.each([
    ['c.yaml', '- {name: a, connections: 2, part_size: 4MiB}\n- name: b\n  threads: 1\n  args: [--no-fsync]\n'],
    ['c.json', '[{"name":"a","connections":2,"part_size":4194304},{"name":"b","threads":1,"args":["--no-fsync"]}]'],
    ['c.jsonl', '{"name":"a","connections":2,"part_size":"4MiB"}\n\n{"name":"b","threads":1,"args":["--no-fsync"]}\n'],
  ])('reads %s', (name, text) => {
    expect(read(name, text)).toEqual(expected)
  })

  test.each([
    ['a row without a name', '[{}]', /configuration 1: it needs a name/],
    ['a key that nobody knows', '[{"name":"a","partsize":1}]', /it has 'partsize', and may have name, connections/],
    ['no connection', '[{"name":"a","connections":0}]', /connections must be a whole number of at least 1/],
    ['a size that is none', '[{"name":"a","part_size":"big"}]', /part_size takes a size/],
    ['args that are no texts', '[{"name":"a","args":[1]}]', /args must be a list of texts/],
    ['one name twice', '[{"name":"a"},{"name":"a"}]', /two configurations named 'a'/],
    ['no list', '{"name":"a"}', /must hold a list/],
    ['an empty list', '[]', /has no configurations/],
    ['what is no YAML', '[', /Cannot read/],
  ])('refuses %s', (_, text, message) => {
    expect(() => read('bad.yaml', text)).toThrow(message)
  })
})

import { describe, expect, test } from 'vitest'
import { oldFile, oldLibrarian, oldSize, oldStore, oldTable } from './format.ts'

const bold = (text: string) => `<${text}>`

test.each([
  [0, '0.0 B'],
  [512, '512.0 B'],
  [1023, '1023.0 B'],
  [1024, '1.0 kB'],
  [1024 ** 2, '1.0 MB'],
  [1.5 * 1024 ** 3, '1.5 GB'],
  [1024 ** 8, '1.0 YB'],
  [-1, '-1.0 B'],
])('oldSize(%d) is %s', (bytes, text) => expect(oldSize(bytes)).toBe(text))

describe('oldTable()', () => {
  test('aligns to the left, and leaves what is falsy empty', () => {
    expect(
      oldTable(
        ['ID', 'Severity', 'Cleared Time'],
        [
          [12, 'critical', false],
          [0, null, true],
        ],
      ),
    ).toEqual([
      'ID | Severity | Cleared Time',
      '-- | -------- | ------------',
      '12 | critical |             ',
      '   |          | True        ',
    ])
  })

  test('escapes what would act on a terminal', () => {
    expect(oldTable(['M'], [['a\u001b[2Jb\nc']])).toEqual(['M           ', '------------', 'a\\x1b[2Jb\\nc'])
  })
})

const file = {
  name: 'dir/f1.bin',
  size: 1100,
  create_time: '2026-11-20T22:03:37.293159',
  checksum: 'xxh3:::00',
  uploader: 'admin',
  source: 'site',
  instances: [
    { path: '/s/dir/f1.bin', available: true, deletion_policy: 0 as const, created_time: '2026-11-20T22:03:37' },
    { path: '/t/dir/f1.bin', available: false, deletion_policy: 0 as const, created_time: '2026-11-20T22:03:37' },
  ],
  remote_instances: [{ librarian_name: 'chile', copy_time: '2026-11-20T22:03:37' }],
}

describe('oldFile()', () => {
  test('is a bold line, then the copies', () => {
    expect(oldFile(file, bold)).toEqual([
      '<dir/f1.bin (1.1 kB) - 2026-11-20 22:03:37.293159 - admin - site>',
      'Instances:',
      '    /s/dir/f1.bin - AVAILABLE',
      '    /t/dir/f1.bin - NOT AVAILABLE',
      'Remote instances:',
      '    chile',
    ])
  })

  test('says where there is none', () => {
    expect(oldFile({ ...file, instances: [], remote_instances: [] }, bold).slice(1)).toEqual([
      'No instances of this file found.',
      'No remote instances of this file found.',
    ])
  })
})

test('oldStore()', () => {
  const store = { name: 's', store_type: 'local', free_space: 2048, ingestable: true, available: true, enabled: true }
  expect(oldStore(store, bold)).toBe('<s> (local) [2.0 kB Free] - Ingestable - Available - Enabled')
  expect(oldStore({ ...store, free_space: -1, ingestable: false, available: false, enabled: false }, bold)).toBe(
    '<s> (local) [-1.0 B Free] - Not Ingestable - Not Available - Disabled',
  )
})

test.each([
  [true, true, '<b> (http://b:80) - Available- Enabled'],
  [false, true, '<b> (http://b:80) - Disabled- Enabled'],
  [null, false, '<b> (http://b:80) - Unknown- Disabled'],
])('oldLibrarian() with available %s and enabled %s', (available, enabled, text) => {
  expect(oldLibrarian({ name: 'b', url: 'http://b', port: 80, available, enabled }, bold)).toBe(text)
})

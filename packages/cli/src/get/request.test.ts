import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readRequest, readSources } from './request.ts'

const [a, b] = ['https://h/a.nc', 'https://h/b.nc']

describe('readRequest()', () => {
  test.each([
    ['get URL', [a], {}, { kind: 'one', url: a, target: undefined }],
    ['get URL FILE', [a, 'x.nc'], {}, { kind: 'one', url: a, target: 'x.nc' }],
    ['get URL FILE with a colon', [a, 'data:2026.nc'], {}, { kind: 'one', url: a, target: 'data:2026.nc' }],
    ['get URL -o FILE', [a], { output: 'x.nc' }, { kind: 'one', url: a, target: 'x.nc' }],
    ['get URL -O FILE', [a], { filepath: 'x.nc' }, { kind: 'one', url: a, target: 'x.nc' }],
    ['get URL -d DIR', [a], { dir: 'out' }, { kind: 'one', url: a, target: 'out/' }],
    ['get URL -d DIR -o NAME', [a], { dir: 'out', output: 'x' }, { kind: 'one', url: a, target: 'out/x' }],
    ['get URL ~/FILE', [a, '~/x'], {}, { kind: 'one', url: a, target: '/home/me/x' }],
    ['get URL -o -', [a], { output: '-' }, { kind: 'stdout', url: a }],
    ['get URL -', [a, '-'], {}, { kind: 'stdout', url: a }],
    ['get URL URL', [a, b], {}, { kind: 'several', urls: [a, b], directory: '.' }],
    ['get URL URL DIR', [a, b, 'out'], {}, { kind: 'several', urls: [a, b], directory: 'out' }],
    ['get /PATH', ['/d/x.nc'], {}, { kind: 'one', url: '/d/x.nc', target: undefined }],
    ['get ~/PATH FILE', ['~/x.nc', 'y.nc'], {}, { kind: 'one', url: '/home/me/x.nc', target: 'y.nc' }],
    ['get URL ./FILE', [a, './x'], {}, { kind: 'one', url: a, target: './x' }],
    ['get /PATH -o /FILE', ['/d/x'], { output: '/e/x' }, { kind: 'one', url: '/d/x', target: '/e/x' }],
    ['get /DIR/', ['/d/'], {}, { kind: 'several', urls: ['/d/'], directory: '.' }],
    ['get /PATTERN', ['/d/*.nc'], {}, { kind: 'several', urls: ['/d/*.nc'], directory: '.' }],
    ['get /PATH ~ -d DIR', ['/x', '~'], { dir: 'e' }, { kind: 'several', urls: ['/x', '/home/me/'], directory: 'e' }],
    ['get -m LIST', [], { manifest: 'l.json' }, { kind: 'manifest', file: 'l.json', directory: '.' }],
    ['get -i - -d DIR', [], { input: '-', dir: 'out' }, { kind: 'manifest', file: '-', directory: 'out' }],
  ])('%s', (_, operands, flags, expected) => {
    expect(readRequest(operands, flags, '/home/me')).toEqual(expected)
  })

  test.each([
    ['nothing', [], {}, /No URL given/],
    ['a host without a scheme', ['example.org/a.nc'], {}, /Did you mean https:\/\/example.org\/a.nc/],
    ['a stranger between URLs', ['x', a], {}, /'x' is no URL/],
    ['a bare name, which may be anything', ['data/a.nc'], {}, /For a file of this machine, write \.\/data\/a\.nc/],
    [
      'a list without its flag',
      ['manifest.json'],
      {},
      /say --manifest manifest\.json; for the file itself, \.\/manifest/,
    ],
    ['two paths, of which one may be the target', ['/a', './b'], {}, /Write -o \.\/b if it is the target/],
    ['a list and a path', ['./out'], { manifest: 'l' }, /-d \.\/out/],
    ['an address without a scheme', ['//h/a'], {}, /no scheme/],
    ['two targets', [a, 'x'], { output: 'y' }, /given twice/],
    ['-o and -O', [a], { output: 'x', filepath: 'y' }, /the same/],
    ['-O before the URL, as in curl', [], { filepath: a }, /taken as the name/],
    ['a list and URLs', [a], { manifest: 'l' }, /one or the other/],
    ['a list and a target', ['out'], { manifest: 'l' }, /-d out/],
    ['a list and a checksum', [], { manifest: 'l', checksum: ['md5:x'] }, /speaks of one file/],
    ['several URLs and a checksum', [a, b], { checksum: ['md5:x'] }, /speaks of one file/],
    ['several URLs to stdout', [a, b], { output: '-' }, /arriero cat/],
    ['stdout and a directory', [a], { output: '-', dir: 'out' }, /contradict/],
    ['stdout and a dry run', [a], { output: '-', dryRun: true }, /contradict/],
    ['--probe without --dry-run', [a], { probe: true }, /belongs to --dry-run/],
    ['an empty target', [a], { output: '' }, /empty/],
    ['an empty directory', [a], { dir: '' }, /empty/],
  ])('refuses %s', (_, operands, flags, message) => {
    expect(() => readRequest(operands, flags)).toThrow(message)
  })

  test('makes whole paths of relative ones, and keeps what says that it is a directory', () => {
    expect(readSources(['/d/run#1%41'])).toEqual(['file:///d/run%231%2541'])
    expect(readRequest(['./a.nc'], {})).toMatchObject({ url: resolve('a.nc') })
    expect(readSources(['.', '../x/', './a'], '/home/me')).toEqual([
      `${process.cwd()}/`,
      `${resolve('../x')}/`,
      resolve('a'),
    ])
  })

  test('does not repeat the secrets of a URL that it refuses', () => {
    expect(() => readRequest([], { output: 'https://me:pw@h/a?sig=1' })).toThrow(/^(?!.*(pw|sig))/)
  })
})

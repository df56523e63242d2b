import { describe, expect, test } from 'vitest'
import { MemberNames } from './member-names.ts'

type Claim = readonly [path: string, type: 'file' | 'directory']

function claimAll(claims: readonly Claim[]): string | undefined {
  const names = new MemberNames()
  for (const [path, type] of claims) {
    const problem = names.claim(path, type)
    if (problem !== undefined) return problem
  }
  return undefined
}

describe('MemberNames', () => {
  test.each<[string, Claim[]]>([
    [
      'files and directories',
      [
        ['a', 'directory'],
        ['a/b', 'file'],
        ['c', 'file'],
      ],
    ],
    [
      'a directory that its files told of first',
      [
        ['a/b', 'file'],
        ['a', 'directory'],
      ],
    ],
    [
      'names that only begin alike',
      [
        ['a', 'file'],
        ['ab', 'file'],
        ['a.b', 'file'],
      ],
    ],
    [
      'one name in two directories',
      [
        ['a/x', 'file'],
        ['b/X', 'file'],
      ],
    ],
  ])('takes %s', (_, claims) => {
    expect(claimAll(claims)).toBeUndefined()
  })

  test.each<[string, Claim[], RegExp]>([
    [
      'a file twice',
      [
        ['a', 'file'],
        ['a', 'file'],
      ],
      /twice/,
    ],
    [
      'a directory twice',
      [
        ['a', 'directory'],
        ['a', 'directory'],
      ],
      /twice/,
    ],
    [
      'a directory three times',
      [
        ['a/b', 'file'],
        ['a', 'directory'],
        ['a', 'directory'],
      ],
      /twice/,
    ],
    [
      'a file that is a directory too',
      [
        ['a/b', 'file'],
        ['a', 'file'],
      ],
      /both/,
    ],
    [
      'a file with something in it',
      [
        ['a', 'file'],
        ['a/b', 'file'],
      ],
      /must be a directory/,
    ],
    [
      'a file with something far in it',
      [
        ['a', 'file'],
        ['a/b/c/d', 'file'],
      ],
      /must be a directory/,
    ],
    [
      'twins by case',
      [
        ['Data', 'file'],
        ['data', 'file'],
      ],
      /one name/,
    ],
    [
      'twins by Unicode form',
      [
        ['caf\u00e9', 'file'],
        ['cafe\u0301', 'file'],
      ],
      /one name/,
    ],
    [
      'twins among directories',
      [
        ['A/x', 'file'],
        ['a/y', 'file'],
      ],
      /one name/,
    ],
    [
      'twins far above',
      [
        ['A/x/1', 'file'],
        ['a/x/2', 'file'],
      ],
      /one name/,
    ],
    ['two dots', [['../a', 'file']], /"\.\."/],
    ['two dots inside', [['a/../../b', 'file']], /"\.\."/],
    ['a dot', [['./a', 'file']], /"\."/],
    ['an absolute path', [['/etc/passwd', 'file']], /relative/],
    ['nothing', [['', 'directory']], /empty/],
    ['an empty part', [['a//b', 'file']], /empty/],
    ['a NUL', [['a\0b', 'file']], /control/],
    ['a reserved name', [['a/NUL.txt', 'file']], /reserved/],
    ['a part that is too long', [['n'.repeat(256), 'file']], /255/],
    ['a path that is too long', [[`${'n'.repeat(200)}/`.repeat(21).slice(0, -1), 'file']], /4096/],
  ])('refuses %s', (_, claims, why) => {
    expect(claimAll(claims)).toMatch(why)
  })
})

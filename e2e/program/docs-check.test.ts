/** What holds our texts to the program finds what is wrong in them. */
import { describe, expect, test } from 'vitest'
import { checkData } from '../../scripts/docs/data.ts'
import { checkNames } from '../../scripts/docs/names.ts'
import { checkProgram } from '../../scripts/docs/program.ts'
import { callsOf } from '../../scripts/docs/shell.ts'
import { checkShell } from '../../scripts/docs/shell-blocks.ts'

const page = (language: string, ...lines: string[]) => ({
  path: 'page.md',
  text: `\`\`\`${language}\n${lines.join('\n')}\n\`\`\`\n`,
})

describe('callsOf()', () => {
  test.each([
    ['arriero cat https://a/b | tar xz   # in order', ['arriero cat https://a/b', 'tar xz']],
    ['arriero serve --port 1 >>log 2>&1 & echo $! >pid', ['arriero serve --port 1', 'echo $!']],
    ['arriero get "$(npm view x y)" -d "a b"', ['arriero get … -d a b', 'npm view x y']],
    ['source <(arriero completion bash)', ['source …', 'arriero completion bash']],
    ['A=b arriero get x \\\n  --checksum y && ls', ['arriero get x --checksum y', 'ls']],
    ["arriero search '2026/#*; x'", ['arriero search 2026/#*; x']],
    ['for n in 1 2; do arriero stat $n; done', ['for n in 1 2', 'do arriero stat $n', 'done']],
  ])('%s', (text, calls) => {
    expect(callsOf(text).map(({ words }) => words.join(' '))).toEqual(calls)
  })
})

describe('checkProgram()', () => {
  test.each([
    ['arriero gett x', 'unknown command'],
    ['arriero get x --nope', 'unknown option'],
    ['arriero get x --connections many', 'whole number'],
    ['arriero users ad', 'too many arguments'],
    ['arriero users add ada', '--level'],
    ['arriero login here https://a', '--user'],
    ['arriero cat', 'missing required argument'],
    ['sudo -u arriero arriero doctor --urll', 'unknown option'],
    ['docker compose run --rm prepare serve --prepair', 'unknown option'],
    ['npx arriero librarians pasue chile', 'too many arguments'],
  ])('refuses %s', async (line, why) => {
    const { problems } = await checkProgram([page('sh', '# first', line)])
    expect(problems).toEqual([expect.stringMatching(/^page\.md:3: /)])
    expect(problems[0]).toContain(why)
  })

  test('takes what is right, and in running text what is left out', async () => {
    const shown = page(
      'console',
      '$ arriero get https://a/b --checksum sha256:9f86d0…',
      'arriero: no such thing',
      '$ docker run x arriero:0.1.0 worker',
    )
    const told = { path: 'told.md', text: 'Say `arriero login`, then `arriero get --checksum`, `--semaphores N`.' }
    expect(await checkProgram([shown, told])).toMatchObject({ problems: [] })
  })
})

test('checkShell() tells what bash cannot read, and scripts and files that are not there', async () => {
  const project = { path: 'package.json', text: '{ "scripts": { "build": "" } }' }
  const { problems } = await checkShell([
    project,
    page('sh', 'if true'),
    page('sh', 'npm run build', 'npm run biuld', 'node scripts/nothing.ts'),
  ])
  expect(problems).toEqual([
    'page.md:3: there is no script biuld',
    'page.md:4: there is no file scripts/nothing.ts',
    expect.stringMatching(/^page\.md:2: bash cannot read this: /),
  ])
})

test.each([
  ['yaml', ['backgruond: {}'], 'unknown: backgruond'],
  ['yaml', ['background:', '  scrubb: []'], 'scrubb'],
  ['yaml', ['background:', '  scrub: [{ task_name: a, every: 1 day, store_name: b, perod: 3 }]'], 'perod'],
  [
    'yaml',
    ['add_stores: [{ store_name: a, store_type: local, ingestable: true, store_data: {}, transfer_manager_data: {} }]'],
    'store_path',
  ],
  ['yaml', ['port: [1'], 'end with a ]'],
  ['json', ['{ "a": }'], 'JSON'],
])('checkData() refuses %s %s', (language, lines, why) => {
  expect(checkData([page(language, ...lines)]).problems.join()).toContain(why)
})

test('checkData() leaves files of other programs alone', () => {
  expect(checkData([page('yaml', '# prometheus.yml: one job', 'scrape_configs: []')])).toMatchObject({ problems: [] })
})

test('checkNames() tells what is called otherwise', () => {
  const source = { path: 'packages/librarian/src/a.ts', text: 'const task_name = z.string()' }
  const told = { path: 'README.md', text: 'A `task_name` and\na `taks_name`, or `nothing_here.sh -x`.' }
  expect(checkNames([source, told]).problems).toEqual(['README.md:2: nothing is called taks_name'])
})

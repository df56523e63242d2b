import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodePath, programPath, startProcess } from '../program.ts'
import { workspace } from './workspace.ts'

const w = workspace()

/** What bash would offer behind these words. */
async function offered(words: string[]): Promise<string[]> {
  const script = `
    arriero() { "${nodePath}" "${programPath}" "$@"; }
    compopt() { :; }
    source <(arriero completion bash)
    source <(arriero completion bash)
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    __arriero_complete
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = await startProcess('bash', ['-c', script, 'bash', ...words], { cwd: w.folder }).outcome
  expect(stderr).toBe('')
  return stdout.split('\n').filter(line => line !== '')
}

describe('completion in bash', () => {
  test('offers commands, flags and values', async () => {
    expect(await offered(['arriero', 've'])).toEqual(['verify'])
    expect(await offered(['arriero', 'get', '--no-'])).toEqual([
      '--no-resume',
      '--no-fsync',
      '--no-glob',
      '--no-related-files',
    ])
    expect(await offered(['arriero', 'get', '--if-exists', ''])).toContain('overwrite')
  })

  test('runs nothing of what is being typed', async () => {
    await offered(['arriero', 'get', '$(touch evil)', '`touch evil`', '; touch evil', ''])
    expect(await w.files()).toEqual([])
  })
})

test('the scripts are what their shells can read', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    if (!isInstalled(shell)) {
      console.log(`NOT RUN completion for ${shell}: it is not installed`)
      continue
    }
    const command = `"${nodePath}" "${programPath}" completion ${shell} | ${shell} -n /dev/stdin`
    expect(
      (await startProcess('bash', ['-c', `set -o pipefail; ${command}`], { cwd: dirname(programPath) }).outcome).code,
    ).toBe(0)
  }
})

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['-c', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

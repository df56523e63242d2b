import { expect, test } from 'vitest'
import { nodePath, programPath, startProcess } from '../program.ts'
import { workspace } from './workspace.ts'

const w = workspace()

/** Prints the URL of every module that is loaded. */
const tracer = `import { registerHooks } from 'node:module'
registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context) } })`

test.each([['--help'], ['get', '--help'], ['--version'], ['completion', 'bash'], ['get', '--chekcsum']])(
  'arriero %s %s starts without the engine',
  async (...args) => {
    const hooks = `data:text/javascript,${encodeURIComponent(tracer)}`
    const { stderr } = await startProcess(nodePath, ['--import', hooks, programPath, ...args], { cwd: w.folder })
      .outcome
    expect(stderr).toContain('dist/main.js')
    expect(stderr).not.toMatch(/transfer|undici|cli-progress|hash-wasm/)
  },
)

import { fileURLToPath } from 'node:url'
import { type Endpoint, endpoints } from '@arriero/api'
import { defaultClientConditions, defineConfig, type Plugin } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Many small files weigh more, compressed, than few: beside the first page there are what all pages share, and the others. */
const chunks = [
  { name: 'parts', test: /\/src\/(components\/(?!draw-chart)|routing|session|state|text)/, priority: 1 },
  { name: 'pages', test: /\/src\/pages\/(?!overview\/)/ },
]

export default defineConfig({
  root: here('.'),
  base: '/dashboard/',
  // What the wire’s package says, not what was built of it.
  resolve: { conditions: ['source', ...defaultClientConditions], alias: { zod: here('src/api/trusted-schemas.ts') } },
  plugins: [bareEndpoints()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    target: ['chrome123', 'firefox128', 'safari17.5'],
    // The policy of the server allows no `data:` and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: chunks, includeDependenciesRecursively: true } } },
  },
})

/** The wire’s table without schemas and texts, which only servers and the OpenAPI page need: what is left says how to call. */
function bareEndpoints(): Plugin {
  const table = here('../api/src/endpoints/index.ts')
  return {
    name: 'bare-endpoints',
    enforce: 'pre',
    load(id) {
      if (id !== table) return
      const groups = mapValues(endpoints, group => mapValues(group, bare))
      return `import { z } from 'zod'\nconst answer = z.any()\nexport const endpoints = ${codeOf(groups)}`
    },
  }
}

function bare({ path, mutates, emptyReason, answerIsEmpty, bodyIsOptional }: Endpoint) {
  return { path, mutates, emptyReason, answerIsEmpty, bodyIsOptional }
}

/** As JSON, each endpoint with the one schema. */
function codeOf(groups: object): string {
  return JSON.stringify(groups).replaceAll('{"path":', '{answer,"path":')
}

function mapValues<Value, Result>(object: Readonly<Record<string, Value>>, map: (value: Value) => Result) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]))
}

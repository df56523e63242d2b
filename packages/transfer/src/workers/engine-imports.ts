import { registerHooks } from 'node:module'

const NAME = '@arriero/transfer'

/** This very engine: source under tests, built code in production. */
const door = new URL(`../index.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url).href

let isBound = false

/**
 * From now on, in this thread, `import … from '@arriero/transfer'` means the engine that runs, wherever the importing file
 * lies. A module of a user's need then have no `node_modules` beside it, and its errors are of the engine's own class.
 * Every thread that loads such modules calls this first; calling it again does nothing.
 */
export function bindEngineImports(): void {
  if (isBound) return
  isBound = true
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === NAME ? { url: door, shortCircuit: true } : next(specifier, context),
  })
}

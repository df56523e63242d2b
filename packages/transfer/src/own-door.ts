import { registerHooks } from 'node:module'

let isRegistered = false

/**
 * Lets modules that people wrote `import '@arriero/transfer'` wherever their file lies, and get this very engine: a second
 * copy would not know the first one's engines. May be called twice.
 */
export function registerOwnDoor(): void {
  if (isRegistered) return
  isRegistered = true
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const door = new URL(`./index.${extension}`, import.meta.url).href
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@arriero/transfer' ? { url: door, shortCircuit: true } : next(specifier, context),
  })
}

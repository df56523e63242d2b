/**
 * Loads the modules that its arguments name, as the program does, and prints what came of each as a line of JSON. In a
 * process of its own, because the test runner loads modules in its own way.
 */
import { defaultExportOf, loadUserModule } from '../src/user-module.ts'

type Make = () => unknown
const isFunction = (value: unknown): value is Make => typeof value === 'function'

for (const path of process.argv.slice(2)) {
  try {
    const module = await loadUserModule(path)
    console.log(JSON.stringify({ url: module.url, made: defaultExportOf(module, 'a function', isFunction)() }))
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string }
    console.log(JSON.stringify({ name, code, message }))
  }
}

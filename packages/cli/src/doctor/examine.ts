import type { Context } from '../context.ts'
import { examineDirectory } from './directory.ts'
import { examineEnvironment } from './environment.ts'
import type { Finding } from './finding.ts'
import { examineModules } from './modules.ts'
import { examineNode } from './node.ts'

/** Looks at everything that decides whether downloads work, how fast and how safely; each finding as it is made. */
export async function* examine(directory: string, context: Context): AsyncGenerator<Finding> {
  yield* examineNode()
  yield* examineModules()
  yield* examineDirectory(directory)
  yield* examineEnvironment(context.terminal.env)
}

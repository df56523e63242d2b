import type { Operations } from './catalogue.ts'
import type { Operation } from './operation.ts'

/** Operations by area and name. */
export type Registry = Readonly<Record<string, Readonly<Record<string, Operation<never, unknown>>>>>

/** How an engine runs one operation. */
export type Run = (operation: Operation<never, unknown>, args: unknown, area: string, name: string) => Promise<unknown>

/** Methods by area and name, each of which hands its operation to `run`. */
export function bindOperations(registry: Registry, run: Run): Operations {
  const areas = Object.entries(registry).map(([area, members]) => [
    area,
    Object.fromEntries(
      Object.entries(members).map(([name, operation]) => [name, (args: unknown) => run(operation, args, area, name)]),
    ),
  ])
  return Object.fromEntries(areas)
}

export function operationOf(registry: Registry, area: string, name: string): Operation<never, unknown> {
  const operation = registry[area]?.[name]
  if (!operation) throw new Error(`no operation ${area}.${name}`)
  return operation
}

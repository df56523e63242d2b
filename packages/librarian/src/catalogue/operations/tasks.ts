/**
 * Rows of recurring tasks (librarian 12.0). A run has its row by a random name of its own, which every later write names: a
 * process that was stopped for longer than `seconds` and wakes changes nothing (reliability E2).
 */
import type { Expression, ExpressionBuilder, Selectable, SqlBool } from 'kysely'
import { audited, ifDone } from '../audited.ts'
import type { Dialect } from '../dialect.ts'
import { type Database, read, write } from '../operation.ts'
import type { Schema, TaskTable } from '../schema.ts'

export interface TaskEntry {
  readonly id: string
  readonly kind: string
  readonly name: string
}

/** A task as people see it. */
export interface TaskState extends Omit<Selectable<TaskTable>, 'run' | 'heard' | 'cursor'> {
  /** `interrupted`: its process was lost, and nobody has gone on yet; `off`: it runs when somebody asks for it. */
  readonly state: 'running' | 'interrupted' | 'waiting' | 'off'
}

/** The right of one run to write of its task. */
export interface TaskRun {
  readonly id: string
  readonly run: string
}

/** A run that was not heard of for so long is nobody's. */
export const TASK_SILENCE_SECONDS = 30

export const tasks = {
  /** Those of the settings have rows; those of entries that are gone go, unless they run. `inSeconds`: when a new one runs first. */
  synchronise: write<{ entries: readonly (TaskEntry & { readonly inSeconds: number | null })[] }, void>(
    async ({ sql, dialect }, { entries }) => {
      const ids = entries.map(({ id }) => id)
      let gone = sql.deleteFrom('task').where(eb => isNobodys(eb, dialect))
      if (ids.length > 0) gone = gone.where('id', 'not in', ids)
      await gone.execute()
      for (const { inSeconds, ...entry } of entries) {
        await sql
          .insertInto('task')
          .values({ ...entry, next_run: inSeconds === null ? null : dialect.nowPlus(inSeconds), counts: '{}' })
          .onConflict(conflict => conflict.column('id').doUpdateSet({ name: entry.name }))
          .execute()
      }
    },
  ),

  /** Undefined: another run has it, or as many of its kind run as may. Else what the last one has kept. */
  begin: write<{ entry: TaskEntry; run: string; atOnce: number }, { cursor: string | null } | undefined>(
    async ({ sql, dialect }, { entry, run, atOnce }) => {
      const others = await sql
        .selectFrom('task')
        .select('id')
        .where('kind', '=', entry.kind)
        .where('id', '<>', entry.id)
        .where(eb => eb.not(isNobodys(eb, dialect)))
        .execute()
      if (others.length >= atOnce) return undefined
      const begun = { run, heard: dialect.now(), started: dialect.now(), next_run: null, counts: '{}' }
      return await sql
        .insertInto('task')
        .values({ ...entry, ...begun })
        .onConflict(conflict =>
          conflict
            .column('id')
            .doUpdateSet(begun)
            .where(eb => isNobodys(eb, dialect)),
        )
        .returning('cursor')
        .executeTakeFirst()
    },
  ),

  /** It goes on. False: it is another's now; stop at once. */
  hear: write<{ of: TaskRun; counts: string; cursor: string | null }, boolean>(
    async ({ sql, dialect }, { of: { id, run }, counts, cursor }) => {
      const { numUpdatedRows } = await sql
        .updateTable('task')
        .set({ heard: dialect.now(), counts, cursor })
        .where('id', '=', id)
        .where('run', '=', run)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
  ),

  end: write<
    {
      of: TaskRun
      result: Pick<Selectable<TaskTable>, 'outcome' | 'note' | 'counts' | 'cursor'>
      /** Null: it does not run again by itself. */
      nextInSeconds: number | null
    },
    boolean
  >(async ({ sql, dialect }, { of: { id, run }, result, nextInSeconds }) => {
    const { numUpdatedRows } = await sql
      .updateTable('task')
      .set({
        ...result,
        run: null,
        heard: null,
        ended: dialect.now(),
        next_run: nextInSeconds === null ? null : dialect.nowPlus(nextInSeconds),
      })
      .where('id', '=', id)
      .where('run', '=', run)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }),

  /** No process is left that runs any: nobody was heard of for long. */
  abandon: write<undefined, void>(async ({ sql, dialect }) => {
    await sql
      .updateTable('task')
      .set({ heard: dialect.nowPlus(-TASK_SILENCE_SECONDS - 1) })
      .where('run', 'is not', null)
      .execute()
  }),

  /** Somebody asked for it: for now, or a later time. False: there is none. */
  ask: audited<{ id: string; inSeconds?: number }, boolean>(async ({ sql, dialect }, { id, inSeconds = 0 }) => {
    const { numUpdatedRows } = await sql
      .updateTable('task')
      .set({ next_run: dialect.nowPlus(inSeconds) })
      .where('id', '=', id)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }, ifDone),

  find: read<{ id: string }, TaskState | undefined>(async (database, { id }) =>
    (await listed(database)).find(task => task.id === id),
  ),

  list: read<undefined, TaskState[]>(database => listed(database)),
}

async function listed({ sql, dialect }: Database): Promise<TaskState[]> {
  const rows = await sql
    .selectFrom('task')
    .selectAll()
    .select(eb => eb.case().when(isNobodys(eb, dialect)).then(1).else(0).end().as('is_nobodys'))
    .orderBy('kind')
    .orderBy('name')
    .orderBy('id')
    .execute()
  return rows.map(({ run, heard: _, cursor: __, is_nobodys, ...row }) => {
    const state = run === null ? (row.next_run === null ? 'off' : 'waiting') : is_nobodys ? 'interrupted' : 'running'
    return { ...row, state }
  })
}

/** Also when the clock was put back meanwhile (reliability E4). */
function isNobodys(eb: ExpressionBuilder<Schema, 'task'>, dialect: Dialect): Expression<SqlBool> {
  return eb.or([
    eb('task.run', 'is', null),
    eb('task.heard', '<', dialect.nowPlus(-TASK_SILENCE_SECONDS)),
    eb('task.heard', '>', dialect.nowPlus(2 * TASK_SILENCE_SECONDS)),
  ])
}

/**
 * Who uploaded a file first, wherever that was: what other librarians are told, by whatever way it goes (librarian Q11). Their
 * own `uploader` of it becomes the account that announces it there.
 */
import { sql } from 'kysely'

export const originalUploader = sql<string>`COALESCE(file.first_uploader, file.uploader)`.as('uploader')

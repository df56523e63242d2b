/** Holds the write lock of a SQLite database until its input ends. Prints `locked`. */
import BetterSqlite3 from 'better-sqlite3'

const database = new BetterSqlite3(process.argv[2]!)
database.exec('BEGIN IMMEDIATE')
console.log('locked')
process.stdin.resume().on('end', () => {
  // Closed here, so that it is not collected, and the lock with it, before.
  database.close()
})

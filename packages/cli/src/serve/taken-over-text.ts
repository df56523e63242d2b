/** For the operator: what the command has done to a store that was another librarian's. */
export function takenOverText(store: string): string {
  return `store ${store} belonged to another catalogue and is this one’s now: end the librarian that had it, if it still runs`
}

/** As the transfer's row names the way of its bytes where this librarian fetches them itself. */
export const pullManager = 'http'

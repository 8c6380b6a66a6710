-- Nothing is left of the queue.
call('UNLINK', unpack(KEYS))
wake()
return { 'ok', 1 }

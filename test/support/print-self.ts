// Prints what kind of process it became; test/unit/host/processes.test.ts turns a process into it.
process.stdout.write(
  JSON.stringify({
    pid: process.pid,
    flags: process.execArgv,
    args: process.argv.slice(2),
    arena: process.env['MALLOC_ARENA_MAX'],
  }),
);

package io.flagtally.replay;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The replay tool's command: sends a CSV file, shows a bar, and says at the end what became of it. Or writes its events to a
 * file to be imported.
 */
public final class ReplayMain {

    private static final int BAR = 40;
    private static final Duration REDRAW = Duration.ofMillis(200);

    private ReplayMain() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        CommandLine.Command command;
        try {
            command = CommandLine.parse(args, Instant.now());
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n\n" + CommandLine.USAGE);
            System.exit(2);
            return;
        }
        ReplayOptions options = command.options();
        if (command.importFile().isPresent()) {
            long events = ImportFile.write(options, command.importFile().get());
            System.out.printf(
                    Locale.ROOT,
                    "%,d events in %s%n",
                    events,
                    command.importFile().get());
            sayHowToRepeat(options);
            return;
        }
        ReplayReport report = new Replay(options, new Bar()).run();
        System.out.println();
        System.out.print(report.text());
        sayHowToRepeat(options);
        if (report.unansweredTotal() > 0) {
            System.exit(1);
        }
    }

    private static void sayHowToRepeat(ReplayOptions options) {
        if (options.times().move() != ReplayOptions.Move.NONE) {
            System.out.println(
                    "the same events again: --until " + options.times().until());
        }
    }

    private static final class Bar implements Replay.Listener {

        private final AtomicLong drawnNanos = new AtomicLong(System.nanoTime());

        @Override
        public void progressed(long done, long lines) {
            long drawn = drawnNanos.get();
            boolean due = System.nanoTime() - drawn > REDRAW.toNanos() || done >= lines;
            if (!due || !drawnNanos.compareAndSet(drawn, System.nanoTime())) {
                return;
            }
            double part = lines == 0 ? 1 : Math.min(1, (double) done / lines);
            int full = (int) (part * BAR);
            System.out.printf(
                    Locale.ROOT,
                    "\r[%s%s] %3.0f %%  %,d events",
                    "#".repeat(full),
                    " ".repeat(BAR - full),
                    part * 100,
                    done);
        }
    }
}

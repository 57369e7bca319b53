package io.flagtally.pipeline;

import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What a class logs while this is open. */
final class LoggedLines extends Handler implements AutoCloseable {

    private final Logger logger;
    private final Consumer<String> lines;

    LoggedLines(Class<?> of, Consumer<String> lines) {
        logger = Logger.getLogger(of.getName());
        this.lines = lines;
        logger.addHandler(this);
    }

    @Override
    public void publish(LogRecord line) {
        Object[] parameters = line.getParameters();
        lines.accept(
                parameters == null || parameters.length == 0
                        ? line.getMessage()
                        : String.format(line.getMessage(), parameters));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
    }
}

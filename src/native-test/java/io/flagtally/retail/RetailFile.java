package io.flagtally.retail;

import io.flagtally.testing.TestData;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * The events that the big tests send: a year of a real web shop, which CI must have beside the checkout. Elsewhere a
 * smaller file of the same form is made up from a seed. Read here by code that shares nothing with the replay tool.
 */
final class RetailFile {

    private static final Path REAL = Path.of("..", "shared", "data", "online_retail.csv.gz");
    private static final DateTimeFormatter TIMES = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");
    private static final long SEED = 20101201;
    private static final int MADE_LINES = 60_000;

    /** One line as an event. Times are read as UTC. */
    record Line(String user, String flag, String variation, long epochSecond) {}

    private final Path path;
    private final boolean real;

    private RetailFile(Path path, boolean real) {
        this.path = path;
        this.real = real;
    }

    static RetailFile find() throws IOException {
        if (Files.exists(REAL)) {
            return new RetailFile(REAL, true);
        }
        if ("true".equals(System.getenv("CI"))) {
            throw new IllegalStateException(
                    "CI must count the real data, and " + REAL.toAbsolutePath().normalize()
                            + " is not there; put the UCI data set \"Online Retail\" there, as CSV");
        }
        return new RetailFile(makeUp(), false);
    }

    Path path() {
        return path;
    }

    /** Whether the known figures of the real file hold. */
    boolean isReal() {
        return real;
    }

    void forEach(long linesMax, Consumer<Line> taker) throws IOException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(path), 1 << 16), StandardCharsets.UTF_8))) {
            reader.readLine();
            String line = reader.readLine();
            for (long number = 0; line != null && number < linesMax; number++) {
                List<String> fields = fields(line);
                taker.accept(new Line(
                        fields.get(6),
                        fields.get(1),
                        fields.get(7),
                        LocalDateTime.parse(fields.get(4), TIMES).toEpochSecond(ZoneOffset.UTC)));
                line = reader.readLine();
            }
        }
    }

    private static List<String> fields(String line) {
        List<String> fields = new ArrayList<>(8);
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"' && quoted && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                field.append(c);
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString());
        return fields;
    }

    private static Path makeUp() throws IOException {
        Path file = TestData.newDirectory("retail").resolve("made_up_retail.csv.gz");
        Random random = new Random(SEED);
        LocalDateTime time = LocalDateTime.of(2010, 12, 1, 8, 0);
        try (PrintWriter out =
                new PrintWriter(new GZIPOutputStream(Files.newOutputStream(file)), false, StandardCharsets.UTF_8)) {
            out.print("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
            for (int i = 0; i < MADE_LINES; i++) {
                time = time.plusMinutes(random.nextInt(18));
                String user = random.nextInt(4) == 0 ? "" : 12_000 + random.nextInt(3000) + ".0";
                out.printf(
                        "%d,%s,\"A THING, \"\"BIG\"\"\",1,%s,2.5,%s,%s%n",
                        500_000 + i / 20,
                        "S" + (int) Math.min(400, Math.abs(random.nextGaussian()) * 120),
                        TIMES.format(time),
                        user,
                        List.of("United Kingdom", "France", "EIRE")
                                .get(random.nextInt(10) < 8 ? 0 : random.nextInt(3)));
            }
        }
        return file;
    }
}

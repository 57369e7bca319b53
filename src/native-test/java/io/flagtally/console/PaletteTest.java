package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Two series of a chart look different, also to the colour-blind, and stand out from the ground. */
class PaletteTest {

    private static final Path STYLE = Path.of("src/main/resources/META-INF/resources/console/style.css");
    private static final Pattern SERIES = Pattern.compile("--series-(?:\\d|default): #([0-9a-f]{6});");
    private static final Pattern SURFACE = Pattern.compile("--surface: #([0-9a-f]{6});");
    private static final int SERIES_COUNT = 7;
    private static final double DIFFERENCE_MIN = 15;
    private static final double CONTRAST_MIN = 3;

    /** What is seen of linear RGB; the deficient ones after Machado, Oliveira and Fernandes (2009), severity 1. */
    private static final Map<String, double[][]> EYES = Map.of(
            "all cones", new double[][] {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
            "protanopia",
                    new double[][] {
                        {0.152286, 1.052583, -0.204868},
                        {0.114503, 0.786281, 0.099216},
                        {-0.003882, -0.048116, 1.051998}
                    },
            "deuteranopia",
                    new double[][] {
                        {0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}
                    });

    private static final double[][] XYZ = {
        {0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}
    };
    private static final double[] WHITE = {0.95047, 1, 1.08883};

    @TestFactory
    Stream<DynamicTest> series_eachPair_differsForEveryEye() throws IOException {
        List<String> styles = List.of(Files.readString(STYLE).split("data-theme='dark'", -1));
        assertTrue(styles.size() == 2, "the dark colours stand once");
        return Stream.of(0, 1)
                .flatMap(theme -> EYES.entrySet().stream()
                        .map(eye -> dynamicTest((theme == 0 ? "light, " : "dark, ") + eye.getKey(), () -> {
                            List<double[]> colours = found(SERIES, styles.get(theme));
                            assertTrue(colours.size() == SERIES_COUNT, () -> colours.size() + " colours");
                            assertAllDiffer(colours, eye.getValue());
                            assertAllStandOut(
                                    colours, found(SURFACE, styles.get(theme)).get(0));
                        })));
    }

    /** A pair of the reference data of Sharma, Wu and Dalal (2005). */
    @Test
    void difference_ofTheReference_isTheirs() {
        double difference = difference(new double[] {50, 2.6772, -79.7751}, new double[] {50, 0, -82.7485});
        assertTrue(Math.abs(difference - 2.0425) < 1e-4, () -> "is " + difference);
    }

    private static void assertAllDiffer(List<double[]> colours, double[][] eye) {
        for (int i = 0; i < colours.size(); i++) {
            for (int j = 0; j < i; j++) {
                double difference = difference(lab(product(eye, colours.get(i))), lab(product(eye, colours.get(j))));
                String pair = "series " + (j + 1) + " and " + (i + 1) + " differ by " + difference;
                assertTrue(difference >= DIFFERENCE_MIN, pair);
            }
        }
    }

    private static void assertAllStandOut(List<double[]> colours, double[] surface) {
        for (double[] colour : colours) {
            double one = product(XYZ, colour)[1];
            double other = product(XYZ, surface)[1];
            double contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            assertTrue(contrast >= CONTRAST_MIN, () -> "a contrast of " + contrast);
        }
    }

    /** The colours that a pattern names, as linear RGB. */
    private static List<double[]> found(Pattern pattern, String style) {
        List<double[]> colours = new ArrayList<>();
        for (Matcher matcher = pattern.matcher(style); matcher.find(); ) {
            int rgb = Integer.parseInt(matcher.group(1), 16);
            colours.add(new double[] {linear(rgb >> 16), linear(rgb >> 8 & 255), linear(rgb & 255)});
        }
        return colours;
    }

    private static double linear(int channel) {
        double c = channel / 255.0;
        return c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
    }

    private static double[] product(double[][] matrix, double[] v) {
        double[] out = new double[3];
        for (int i = 0; i < 3; i++) {
            out[i] = matrix[i][0] * v[0] + matrix[i][1] * v[1] + matrix[i][2] * v[2];
        }
        return out;
    }

    private static double[] lab(double[] linear) {
        double[] clipped = {clip(linear[0]), clip(linear[1]), clip(linear[2])};
        double[] xyz = product(XYZ, clipped);
        double[] f = new double[3];
        for (int i = 0; i < 3; i++) {
            double t = xyz[i] / WHITE[i];
            f[i] = t > 216.0 / 24389 ? Math.cbrt(t) : (24389.0 / 27 * t + 16) / 116;
        }
        return new double[] {116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])};
    }

    private static double clip(double channel) {
        return Math.min(1, Math.max(0, channel));
    }

    /** CIEDE2000. */
    private static double difference(double[] one, double[] other) {
        double meanC = (Math.hypot(one[1], one[2]) + Math.hypot(other[1], other[2])) / 2;
        double stretch = 1.5 - 0.5 * saturation(meanC);
        double c1 = Math.hypot(one[1] * stretch, one[2]);
        double c2 = Math.hypot(other[1] * stretch, other[2]);
        double h1 = hue(one, stretch);
        double h2 = c1 * c2 == 0 ? h1 : hue(other, stretch);
        double apart = (h2 - h1 + 540) % 360 - 180;
        double h = h1 + apart / 2;
        double c = (c1 + c2) / 2;
        double l = (one[0] + other[0]) / 2 - 50;
        double t = 1 - 0.17 * cos(h - 30) + 0.24 * cos(2 * h) + 0.32 * cos(3 * h + 6) - 0.20 * cos(4 * h - 63);
        double dl = (other[0] - one[0]) / (1 + 0.015 * l * l / Math.sqrt(20 + l * l));
        double dc = (c2 - c1) / (1 + 0.045 * c);
        double dh = 2 * Math.sqrt(c1 * c2) * Math.sin(Math.toRadians(apart / 2)) / (1 + 0.015 * c * t);
        double blue = 60 * Math.exp(-Math.pow(((h + 360) % 360 - 275) / 25, 2));
        double turn = -2 * saturation(c) * Math.sin(Math.toRadians(blue));
        return Math.sqrt(dl * dl + dc * dc + dh * dh + turn * dc * dh);
    }

    private static double saturation(double chroma) {
        double seventh = Math.pow(chroma, 7);
        return Math.sqrt(seventh / (seventh + Math.pow(25, 7)));
    }

    private static double hue(double[] lab, double stretch) {
        return (Math.toDegrees(Math.atan2(lab[2], lab[1] * stretch)) + 360) % 360;
    }

    private static double cos(double degrees) {
        return Math.cos(Math.toRadians(degrees));
    }
}

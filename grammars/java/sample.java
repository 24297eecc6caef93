package com.example.shop;

import java.util.List;
import java.util.*;
import static java.lang.Math.max;
import static org.junit.Assert.*;

/**
 * A cart of items.
 *
 * @param <T> what it holds
 */
@Service("cart")
public class Cart<T extends Item> extends Base implements Priced {
    public static final int MAX_ITEMS = 100;
    private static final Map<String, Integer> TABLE = Map.of(
        "one", 1);
    private final List<T> items = new ArrayList<>();
    protected int count;

    /** Makes one. */
    public Cart(int limit) {
        super(limit);
        this.count = 0;
    }

    /** Adds up the prices. */
    @Override
    @Transactional(readOnly = true)
    public <R> int total(int limit, String... names) throws IOException {
        int sum = 0;
        for (T item : items) {
            if (item.getPrice() > limit) {
                throw new IllegalStateException("too much");
            }
            sum += item.getPrice();
        }
        count++;
        this.items.clear();
        assert sum > 0 : "nothing";
        for (int i = 0; i < 3; i++) {
            System.out.println(i);
        }
        try (Reader reader = open()) {
            items.stream().map(item -> item.getPrice()).forEach(price -> {
                hidden(price);
            });
        } catch (IOException | RuntimeException error) {
            log(error);
        }
        return switch (names.length) {
            case 0 -> 0;
            default -> sum > 0 ? sum : max(1, 2);
        };
    }

    private void hidden() {}

    void visibleInPackage() {}

    enum Colour {
        RED, GREEN;

        Colour next() {
            return RED;
        }
    }

    record Point(int x, int y) {
        Point {
            if (x < 0) throw new IllegalArgumentException();
        }
    }

    interface Priced {
        int FREE = 0;

        /** In cents. */
        int price();

        default int twice() {
            return price() * 2;
        }
    }

    @interface Marker {
        String value() default "";
    }
}

class CartTest {
    @BeforeEach
    void setUp() {}

    @Test
    void adds() {
        assertEquals(1, new Cart<>(1).total(2));
    }
}

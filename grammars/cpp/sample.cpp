#include "shop/cart.hpp"
#include <vector>

namespace shop {

/// A cart of items.
template <typename T>
class Cart : public Base {
public:
    explicit Cart(int limit = 10);
    ~Cart() override;
    /** Adds up. */
    [[nodiscard]] int total(const std::vector<T>& items, int limit) const noexcept;
    int size() const { return count_; }
    virtual void draw() = 0;
    Cart& operator=(const Cart& other) = default;
    T* data();
    template <class U>
    void visit(U&& visitor) {
        visitor(*this);
    }
    static Cart make();

    struct Iterator {
        int at;
        void next();
    };

private:
    void hidden();
    int count_ = 0;
    friend bool same(const Cart& a, const Cart& b);
};

struct Point {
    int x, y;
    double norm() const;
};

enum class Colour : int { Red, Green };
using Names = std::vector<std::string>;
constexpr int kMax = 10;

template <typename T>
concept Priced = requires(T item) { item.price(); };

namespace {
int hiddenCount() { return 1; }
}

}  // namespace shop

int shop::Cart::total(const std::vector<Item>& items, int limit) const noexcept {
    auto sum = 0;
    for (const auto& item : items) {
        if (item.price() > limit) {
            throw std::out_of_range("too much");
        }
        sum += item.price();
    }
    opened++;
    this->count_ = sum;
    auto add = [&](int x) { return hiddenCall(x); };
    auto* fresh = new Item(1);
    std::sort(items.begin(), items.end());
    auto name = std::get<0>(pair);
    try {
        risky();
    } catch (const std::exception& error) {
        throw;
    } catch (...) {
    }
    return sum > 0 ? static_cast<int>(sum) : add(1);
}

Cart::Cart(int limit) : limit_(limit) {}

template <typename T>
T& Cart<T>::at(int i) {
    return items[i];
}

extern "C" {
int c_total(const int* items, int count);
}

static int helper() { return 2; }

TEST(CartTest, AddsUp) {
    Cart cart(3);
    EXPECT_EQ(cart.total(), 3);
}

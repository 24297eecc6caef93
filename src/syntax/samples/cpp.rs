//! What is read from the sample of C++.

use super::told;

#[test]
fn items_imports_and_facts_are_read() {
    insta::assert_snapshot!(told("cpp"), @r##"
    Module shop pub
      signature "namespace shop"
    Class shop.Cart pub
      signature "template <typename T>\nclass Cart : public Base"
      doc "/// A cart of items."
    Method Cart.Cart pub
      signature "explicit Cart(int limit = 10)"
    Method Cart.~Cart pub
      signature "~Cart() override"
    Method Cart.total pub
      signature "int total(const std::vector<T>& items, int limit) const noexcept"
      doc "/** Adds up. */"
    Method Cart.size pub
      signature "int size() const"
      ReturnType |  | int
      Return |  | count_
    Method Cart.draw pub
      signature "virtual void draw() = 0"
    Method Cart.operator= pub
      signature "Cart& operator=(const Cart& other) = default"
    Method Cart.data pub
      signature "T* data()"
    Method Cart.visit pub
      signature "template <class U>\n    void visit(U&& visitor)"
      Parameter | visitor | U&&
      Call | visitor | 
    Method Cart.make pub
      signature "static Cart make()"
    Class Cart.Iterator pub
      signature "struct Iterator"
    Method Iterator.next pub
      signature "void next()"
    Method Cart.hidden
      signature "void hidden()"
    Class shop.Point pub
      signature "struct Point"
    Method Point.norm pub
      signature "double norm() const"
    Enum shop.Colour pub
      signature "enum class Colour : int"
    TypeAlias shop.Names pub
      signature "using Names = std::vector<std::string>"
    Constant shop.kMax pub
      signature "constexpr int kMax = 10"
    Interface shop.Priced pub
      signature "template <typename T>\nconcept Priced = requires(T item) { item.price(); }"
    Function shop.hiddenCount
      signature "int hiddenCount()"
      ReturnType |  | int
      Return |  | 1
    Method Cart.total pub
      signature "int shop::Cart::total(const std::vector<Item>& items, int limit) const noexcept"
      ReturnType |  | int
      Parameter | items | const std::vector<Item>&
      Parameter | limit | int
      Loop | for | auto& item : items
      Branch | if | item.price() > limit
      Call | item.price | 
      Raise | throw | std::out_of_range("too much")
      Call | std::out_of_range | 
      Call | item.price | 
      Mutation | opened | 
      Mutation | this->count_ | sum
      Call | new Item | 
      Call | std::sort | 
      Call | items.begin | 
      Call | items.end | 
      Call | std::get<0> | 
      Call | risky | 
      Branch | catch | const std::exception& error
      Raise | throw | 
      Branch | catch | 
      Return |  | sum > 0 ? static_cast<int>(sum) : add(1)
      Branch | ? | sum > 0
      Call | static_cast | 
      Call | add | 
    Method Cart.Cart pub
      signature "Cart::Cart(int limit) : limit_(limit)"
      Parameter | limit | int
    Method Cart.at pub
      signature "template <typename T>\nT& Cart<T>::at(int i)"
      ReturnType |  | T&
      Parameter | i | int
      Return |  | items[i]
    Function c_total pub
      signature "int c_total(const int* items, int count)"
    Function helper
      signature "static int helper()"
      ReturnType |  | int
      Return |  | 2
    Method CartTest.AddsUp pub test
      signature "TEST(CartTest, AddsUp)"
      Call | EXPECT_EQ | 
      Call | cart.total | 
    import shop | cart.hpp
    import  | vector
    "##);
}

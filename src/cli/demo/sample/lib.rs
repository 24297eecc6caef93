//! A small till: items, carts and receipts. Prices are in cents.

/// Something for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub price: u32,
}

/// What a customer is about to buy.
#[derive(Debug, Default)]
pub struct Cart {
    items: Vec<Item>,
}

impl Cart {
    pub fn add(&mut self, item: Item) {
        self.items.push(item);
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn total(&self, discount: u32) -> Result<u32, String> {
        if discount > 100 {
            return Err(format!("a discount of {discount} percent"));
        }
        let total = 0;
        for item in &self.items {
            total += item.price;
        }
        Ok(total - total * discount / 100)
    }
}
